/** Vite puts style sheets into one file of their own. */
declare module '*.css';

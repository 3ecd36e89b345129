import './tokens.css';
import './base.css';
import './parts/button.css';
import './parts/card.css';
import { render } from 'preact';
import { App } from './app.js';
import { recallSession } from './state/session.js';
import './state/theme.js';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void recallSession();

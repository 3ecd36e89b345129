/** What a person sees in the window of an example. */
export interface Sight {
  /** All that stands above the text: the title, the machine, a sign. */
  readonly head: string;
  readonly text: string;
  /** What covers it, a line each; null where nothing does. */
  readonly cover: readonly string[] | null;
  /** The buttons of the cover. */
  readonly buttons: readonly string[];
}

/** An example program on a screen of its own, and what a person can do there. */
export interface Program {
  look(): Promise<Sight>;
  /** Clicks where the button is seen. */
  click(label: string): Promise<void>;
  /** Clicks where the text is seen, and types at its end. */
  type(text: string): Promise<void>;
  /** Types, wherever the keys go. */
  typeOn(text: string): Promise<void>;
  /** Shift+Tab. */
  tabBack(): Promise<void>;
  /** Saves what is seen in the window. */
  takePicture(file: string): Promise<void>;
  /** Closes the window, and waits for the end of the program. */
  close(): Promise<void>;
}

/** With what a program is started. */
export interface Start {
  readonly url: string;
  readonly tokenUrl: string;
  /** The name of the machine that it runs on, and its id. */
  readonly machine: string;
  /** Where it keeps its text. */
  readonly file: string;
}

export function environmentOf({ url, tokenUrl, machine, file }: Start): Readonly<Record<string, string>> {
  return {
    SEAT_URL: url,
    SEAT_TOKEN_URL: tokenUrl,
    SEAT_MACHINE_ID: machine,
    SEAT_MACHINE_NAME: machine,
    NOTES_FILE: file,
  };
}

import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.js';
import './menu.css';

export interface MenuItem {
  readonly label: string;
  readonly isDangerous?: boolean;
  readonly onChoose: () => void;
}

/** What can be done with a row: a disclosure of buttons, closed by Escape and by a click elsewhere. */
export function Menu({ label, items }: { readonly label: string; readonly items: readonly MenuItem[] }) {
  const details = useRef<HTMLDetailsElement>(null);
  const summary = useRef<HTMLElement>(null);

  useEffect(() => {
    function close(event: Event): void {
      if (details.current?.open && !details.current.contains(event.target as Node))
        details.current.open = false;
    }
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, []);

  function closeAndFocus(): void {
    if (details.current) details.current.open = false;
    // A dialog that opens now gives the focus back to here.
    summary.current?.focus();
  }

  return (
    <details
      class="menu"
      ref={details}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && details.current?.open) closeAndFocus();
      }}
    >
      <summary ref={summary} class="icon-button" aria-label={label}>
        <Icon name="more" />
      </summary>
      <ul>
        {items.map(({ label: text, isDangerous = false, onChoose }) => (
          <li key={text}>
            <button
              type="button"
              class={isDangerous ? 'dangerous' : ''}
              onClick={() => {
                closeAndFocus();
                onChoose();
              }}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

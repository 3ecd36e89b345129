import { dismiss, toasts } from '../state/toasts.js';
import { Icon } from './icon.js';
import './toasts.css';

/** What came of the last actions. It is there from the start: a live region that is added with its text stays silent. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone }) => (
        <div key={id} class={`toast ${tone}`}>
          <span>{text}</span>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

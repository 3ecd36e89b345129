import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Failure } from './page.js';
import './dialog.css';

/** A modal dialog: the browser keeps the focus inside, closes it on Escape and gives the focus back. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      // Whoever opened it may be gone with the row that was acted upon.
      if (document.activeElement === document.body) document.querySelector('h1')?.focus();
    };
  }, []);
  // The browser would give the focus back at once, and tell of the end a little later: what is opened again by then would be
  // closed.
  function onCancel(event: Event): void {
    event.preventDefault();
    dialog.current?.close();
    onClose();
  }
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onCancel={onCancel} onClose={onClose}>
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}

/** A dialog that asks, does, and closes when it is done; a refusal is shown in it. */
export function ActionDialog(props: {
  readonly title: string;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  /** Does it. A rejection keeps the dialog open and shows why. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, confirm, isDangerous = false, onConfirm, onClose, children } = props;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure as Error);
      setBusy(false);
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <div class="fields">{children}</div>
        <Failure error={error} />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${isDangerous ? 'danger' : 'primary'}`} aria-disabled={isBusy}>
            {isBusy ? 'Working…' : confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.js';
import './search-box.css';

const PAUSE_MS = 250;

/** Searches while one types, once the fingers pause. The key / leads to it. */
export function SearchBox(props: {
  readonly label: string;
  readonly placeholder: string;
  readonly onSearch: (text: string) => void;
}) {
  const { label, placeholder, onSearch } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');

  useEffect(() => {
    const timer = setTimeout(() => onSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (event.key !== '/' || isTyping || document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      input.current?.focus();
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  return (
    <div class="search">
      <label class="unseen" for={id}>
        {label}
      </label>
      <Icon name="search" />
      <input
        id={id}
        ref={input}
        type="search"
        value={text}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
        aria-keyshortcuts="/"
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  );
}

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import './field.css';

interface FieldFrame {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A text to type, with its label and what may be said about it. */
export function TextField(
  props: FieldFrame & {
    readonly type?: 'text' | 'password' | 'date';
    readonly isRequired?: boolean;
    readonly placeholder?: string;
  },
) {
  const { label, hint, value, onChange, type = 'text', isRequired = false, placeholder } = props;
  const id = useId();
  const common = {
    id,
    value,
    required: isRequired,
    placeholder,
    autoComplete: 'off',
    autoCapitalize: 'none',
    spellcheck: false,
    'aria-describedby': hint === undefined ? undefined : `${id}-hint`,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => onChange(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'password' && <input type="password" {...common} />}
      {type === 'date' && <input type="date" {...common} />}
      {type === 'text' && <input type="text" {...common} />}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A choice of few. */
export function SelectField(
  props: FieldFrame & { readonly options: readonly { readonly value: string; readonly label: string }[] },
) {
  const { label, hint, value, onChange, options } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint !== undefined && <p class="hint">{hint}</p>}
    </div>
  );
}

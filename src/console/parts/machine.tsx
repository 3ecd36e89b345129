import type { Machine } from '../api/types.js';

/** A machine by its name, and what else it told of itself. */
export function MachineName({ machine }: { readonly machine: Machine }) {
  const more = [machine.os, machine.kind].filter(Boolean).join(' · ');
  return (
    <span class="two-lines" title={machine.id}>
      <span>{machine.name ?? machine.id}</span>
      {more !== '' && <small>{more}</small>}
    </span>
  );
}

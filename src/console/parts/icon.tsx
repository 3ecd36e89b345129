/** Strokes on a grid of 20 by 20. */
const shapes = {
  overview: 'M3 11.5 7 7l4 4 6-7M3 17h14',
  sessions: 'M4 4.5h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1ZM7 16.5h6M10 13.5v3',
  licenses: 'M5 3h7l4 4v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM11.5 3v4.5H16M7 11h6M7 14h4',
  users: 'M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM3.8 17c.5-3 3-4.7 6.2-4.700s5.7 1.7 6.2 4.7',
  events: 'M4 5h.01M4 10h.01M4 15h.01M7.5 5H17M7.5 10H17M7.5 15H17',
  nodes: 'M4 3.500h12v5H4zM4 11.500h12v5H4zM7 6h.01M7 14h.01',
  webhooks: 'M4 10h8M9 6.500l3.500 3.500L9 13.500M14.500 4.500v11',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  search: 'M9 14.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  theme:
    'M10 13.800a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.600ZM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M4.3 15.700l1.1-1.100M14.6 5.400l1.1-1.1',
  leave: 'M8 3.500H4.500v13H8M12.5 6.5 16 10l-3.5 3.500M16 10H8',
  add: 'M10 4v12M4 10h12',
  upload: 'M10 13V4M6.5 7.5 10 4l3.5 3.500M4 16.500h12',
  download: 'M10 4v9M6.5 9.5 10 13l3.5-3.500M4 16.500h12',
  refresh: 'M16 10a6 6 0 1 1-2-4.500M16 3v3.500h-3.5',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  next: 'M8 4.5 13.5 10 8 15.5',
  close: 'M5 5l10 10M15 5 5 15',
  pause: 'M7 4.500v11M13 4.500v11',
  play: 'M6.5 4.500v11l9-5.500z',
  swap: 'M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3',
} as const;

export type IconName = keyof typeof shapes;

/** A picture beside a word, which says the same: so nothing to a screen reader. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={shapes[name]} />
    </svg>
  );
}

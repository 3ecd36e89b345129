import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import './page.css';

let isFirst = true;

/** One page: its title is the document's, and gets the focus, so that a screen reader tells of the change. */
export function Page(props: {
  readonly title: string;
  readonly intro?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const { title, intro, actions, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Soleseat`;
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {intro !== undefined && <p class="intro">{intro}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** Where there is nothing to show: what that means, and what to do. */
export function Empty(props: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.children !== undefined && <p>{props.children}</p>}
    </div>
  );
}

/** While nothing is known yet: neither that there is something nor that there is nothing. */
export function Waiting() {
  return (
    <p class="waiting" aria-busy="true">
      Loading…
    </p>
  );
}

/** What the server said no with. */
export function Failure({ error }: { readonly error: Error | null }) {
  if (error === null) return null;
  return (
    <p class="failure" role="alert">
      {error.message}
    </p>
  );
}

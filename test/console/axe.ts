import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

interface Axe {
  run(options: { readonly resultTypes: readonly string[] }): Promise<AxeResults>;
}

/** What axe finds wrong with a page as it stands, best practices included: one text for each element. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger, as the page's own Content-Security-Policy lets no such script in.
  // A table that is being asked for anew is dimmed for as long.
  await eventually(() =>
    page.evaluate(
      () =>
        document.querySelector('[aria-busy="true"]') === null &&
        !document.getAnimations().some((one) => one instanceof CSSTransition),
    ),
  );
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }),
  );
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** A page of metrics as Prometheus would read it. */
export class Scrape {
  private constructor(
    readonly page: string,
    private readonly values: ReadonlyMap<string, number>,
  ) {}

  /** Asks /metrics on a node's admin port. */
  static async of(adminPort: number): Promise<Scrape> {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
    const page = await response.text();
    const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Scrape(page, new Map(lines.map(readLine)));
  }

  /** The value of a series, written as on the page: `name{label="value"}`. 0 when there is no such series. */
  value(series: string): number {
    return this.values.get(series) ?? 0;
  }

  has(series: string): boolean {
    return this.values.has(series);
  }

  get series(): readonly string[] {
    return [...this.values.keys()];
  }
}

function readLine(line: string): [string, number] {
  const space = line.lastIndexOf(' ');
  return [line.slice(0, space), Number(line.slice(space + 1))];
}

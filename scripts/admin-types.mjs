/** What the admin API answers, as types for TypeScript: from the schemas in the table of routes. */
export function adminTypes(routes) {
  const answers = routes
    .map(({ id, success }) => ({ id, schema: success.frames ?? success.schema }))
    .filter(({ schema }) => schema !== undefined);
  const named = new Map(answers.map(({ id, schema }) => [schema, id]).reverse());
  const members = answers.map(({ id, schema }) => {
    const isFirst = named.get(schema) === id;
    return `  readonly ${id}: ${isFirst ? shapeOf(schema, '  ') : typeOf(schema, '  ')};`;
  });
  return `/** Written by \`npm run docs\` from the schemas in \`src/admin/routes\`; change them there. Times are RFC 3339, durations in ms. */
export interface AdminAnswers {
${members.join('\n')}
}

type ListId = {
  [Id in keyof AdminAnswers]: AdminAnswers[Id] extends { readonly items: readonly unknown[] } ? Id : never;
}[keyof AdminAnswers];
/** One row of a list. */
export type RowOf<Id extends ListId> = AdminAnswers[Id]['items'][number];
`;

  function typeOf(schema, indent) {
    return named.has(schema) ? `AdminAnswers['${named.get(schema)}']` : shapeOf(schema, indent);
  }

  function shapeOf(schema, indent) {
    if (schema.const !== undefined) return literal(schema.const);
    if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
    if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one, indent)).join(' | ');
    switch (schema.type) {
      case 'object':
        return objectOf(schema, indent);
      case 'array': {
        const item = typeOf(schema.items, indent);
        const isUnion = (schema.items.anyOf ?? schema.items.enum) !== undefined;
        return `readonly ${isUnion ? `(${item})` : item}[]`;
      }
      case 'integer':
      case 'number':
        return 'number';
      case 'string':
      case 'boolean':
      case 'null':
        return schema.type;
      default:
        return 'unknown';
    }
  }

  function objectOf({ properties = {}, patternProperties, additionalProperties, required = [] }, indent) {
    const inner = `${indent}  `;
    const [anyField] = Object.values(patternProperties ?? {});
    const values = anyField ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (values !== undefined) return `Readonly<Record<string, ${typeOf(values, indent)}>>`;
    const lines = Object.entries(properties).flatMap(([name, schema]) => [
      ...(schema.description === undefined ? [] : [`${inner}/** ${schema.description} */`]),
      `${inner}readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema, inner)};`,
    ]);
    return lines.length === 0 ? 'Readonly<Record<string, unknown>>' : `{\n${lines.join('\n')}\n${indent}}`;
  }
}

function literal(value) {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

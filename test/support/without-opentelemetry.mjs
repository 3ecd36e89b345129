import { register } from 'node:module';

/** Preloaded into a node process: the optional packages for traces are not found, as in an image without them. */
const hooks = `export function resolve(name, context, next) {
  if (!/^@opentelemetry\\/(?!api$)/.test(name)) return next(name, context);
  throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

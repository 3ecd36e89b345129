import { counted, numberText, shortId } from '../format.js';
import { Badge } from '../parts/badge.js';
import type { Sample } from '../state/live.js';
import { nodeState, useNodes } from '../state/nodes.js';

const NODES_SHOWN = 5;

/** Whether Redis and the nodes are well. */
export function Health({ sample }: { readonly sample: Sample | undefined }) {
  const { nodes } = useNodes();
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">Health</h2>
      <dl class="facts">
        <div>
          <dt>Redis</dt>
          <dd>
            {sample === undefined ? (
              '–'
            ) : (
              <Badge text={sample.redis.up ? 'up' : 'out of reach'} tone={sample.redis.up ? 'good' : 'bad'} />
            )}
          </dd>
        </div>
        <div>
          <dt>Nodes</dt>
          <dd>{sample === undefined ? '–' : counted(sample.nodes, 'node')}</dd>
        </div>
        {nodes?.slice(0, NODES_SHOWN).map((node) => (
          <div key={node.nodeId}>
            <dt>
              <code title={node.nodeId}>{shortId(node.nodeId)}</code>
            </dt>
            <dd class="node-facts">
              {node.sessions !== undefined && (
                <span class="faint">{`${numberText(node.sessions)} here`}</span>
              )}
              <Badge {...nodeState(node)} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

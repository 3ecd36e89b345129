import { counted, numberText, shortId } from '../format.js';
import { Badge } from '../parts/badge.js';
import { currentSample } from '../state/live.js';
import { nodeState, unknown, useNodes } from '../state/nodes.js';
import '../parts/facts.css';

const NODES_SHOWN = 5;

/** Whether Redis and the nodes are well, as far as that is known at this moment. */
export function Health() {
  const { nodes, error } = useNodes();
  const sample = currentSample.value;
  const isRedisUp = sample?.redis.up === true;
  // What is known of nodes stands in Redis.
  const areNodesKnown = isRedisUp && error === null;
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">Health</h2>
      <dl class="facts">
        <div>
          <dt>Redis</dt>
          <dd>
            {sample === undefined ? (
              <Badge {...unknown} />
            ) : (
              <Badge text={isRedisUp ? 'up' : 'out of reach'} tone={isRedisUp ? 'good' : 'bad'} />
            )}
          </dd>
        </div>
        <div>
          <dt>Nodes</dt>
          <dd>{isRedisUp ? counted(sample.nodes, 'node') : <Badge {...unknown} />}</dd>
        </div>
        {nodes?.slice(0, NODES_SHOWN).map((node) => (
          <div key={node.nodeId}>
            <dt>
              <code title={node.nodeId}>{shortId(node.nodeId)}</code>
            </dt>
            <dd class="node-facts">
              {areNodesKnown && node.sessions !== undefined && (
                <span class="faint">{`${numberText(node.sessions)} here`}</span>
              )}
              <Badge {...(areNodesKnown ? nodeState(node) : unknown)} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

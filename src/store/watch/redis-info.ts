/** What INFO says of one server. Counters run from the server's start. */
export interface RedisInfo {
  /** New at every start of the server; empty where it does not say. */
  readonly runId: string;
  readonly role: 'master' | 'replica';
  readonly memoryUsed: number;
  readonly memoryLimit: number;
  readonly policy: string;
  readonly evictedKeys: number;
  readonly expiredKeys: number;
  readonly connectedClients: number;
  readonly commandsProcessed: number;
  readonly isAofEnabled: boolean;
  readonly isAofOk: boolean;
  readonly isRdbOk: boolean;
  /** Unix seconds. */
  readonly lastSave: number;
  readonly connectedReplicas: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
  readonly databaseKeys: number;
}

type Fields = ReadonlyMap<string, string>;

/** Reads the reply to INFO. What a version does not say is 0. */
export function parseInfo(text: string): RedisInfo {
  const fields: Fields = new Map(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
  );
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const role = fields.get('role') === 'slave' ? 'replica' : 'master';
  return {
    runId: fields.get('run_id') ?? '',
    role,
    memoryUsed: number('used_memory'),
    memoryLimit: number('maxmemory'),
    policy: fields.get('maxmemory_policy') ?? 'unknown',
    evictedKeys: number('evicted_keys'),
    expiredKeys: number('expired_keys'),
    connectedClients: number('connected_clients'),
    commandsProcessed: number('total_commands_processed'),
    isAofEnabled: fields.get('aof_enabled') === '1',
    isAofOk:
      fields.get('aof_last_write_status') !== 'err' && fields.get('aof_last_bgrewrite_status') !== 'err',
    isRdbOk: fields.get('rdb_last_bgsave_status') !== 'err',
    lastSave: number('rdb_last_save_time'),
    connectedReplicas: number('connected_slaves'),
    ...(role === 'master' ? lagOfReplicas(fields) : lagBehindMaster(fields)),
    databaseKeys: sumOf(fields, /^db\d+$/, 'keys'),
  };
}

/** A master lists its replicas as `slave0:ip=…,port=…,state=online,offset=…,lag=…`. */
function lagOfReplicas(fields: Fields): { lagBytes: number; lagSeconds: number } {
  const offset = Number(fields.get('master_repl_offset') ?? 0);
  const replicas = [...fields].filter(([name]) => /^slave\d+$/.test(name)).map(([, value]) => value);
  return {
    lagBytes: Math.max(0, ...replicas.map((value) => offset - partOf(value, 'offset'))),
    lagSeconds: Math.max(0, ...replicas.map((value) => partOf(value, 'lag'))),
  };
}

function lagBehindMaster(fields: Fields): { lagBytes: number; lagSeconds: number } {
  const heardSeconds = Number(fields.get('master_last_io_seconds_ago') ?? 0);
  const downSeconds = Number(fields.get('master_link_down_since_seconds') ?? 0);
  return { lagBytes: 0, lagSeconds: Math.max(0, heardSeconds, downSeconds) };
}

function sumOf(fields: Fields, form: RegExp, part: string): number {
  return [...fields].reduce((sum, [name, value]) => (form.test(name) ? sum + partOf(value, part) : sum), 0);
}

function partOf(value: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(-?\\d+)`).exec(value)?.[1] ?? 0);
}

/**
 * What `npm run test:matrix` tries: with which versions, and with which test files. To have another file run, add it to a list
 * here; a file that is not there is left out.
 */

/** All that is particular about a Redis server: scripts, streams, ACLs, failovers, slots, and what it says when it fails. */
const redisFiles = [
  'test/store/leases.test.ts',
  'test/store/reigns.test.ts',
  'test/store/licenses.test.ts',
  'test/store/past.test.ts',
  'test/store/paging.property.test.ts',
  'test/store/errors.test.ts',
  'test/store/sweeper.test.ts',
  'test/store/redis-clock.test.ts',
  'test/flows/acl.test.ts',
  'test/flows/takeover.test.ts',
  'test/flows/data-loss.test.ts',
  'test/flows/outages.test.ts',
  'test/flows/outage-causes.test.ts',
  'test/flows/sentinel.test.ts',
  'test/flows/cluster.test.ts',
  'test/flows/announced-names.test.ts',
  'test/cli/redis-services.test.ts',
  'test/metrics/topology.test.ts',
];

export const kinds = {
  redis: {
    title: 'Redis servers',
    files: redisFiles,
    rows: [
      { name: 'Redis', suite: null },
      { name: 'Redis', suite: 'trixie', packages: ['redis-server'], program: '/usr/bin/redis-server' },
      { name: 'Redis', suite: 'sid', packages: ['redis-server'], program: '/usr/bin/redis-server' },
      { name: 'Valkey', suite: 'trixie', packages: ['valkey-server'], program: '/usr/bin/valkey-server' },
      { name: 'Valkey', suite: 'sid', packages: ['valkey-server'], program: '/usr/bin/valkey-server' },
    ],
    version: { args: ['--version'], form: /v=(\d+\.\d+\.\d+)/ },
    notRun: [
      'Redis 6.2, which is accepted too: no suite of Debian has it.',
      'Redis in Microsoft Windows, forks like KeyDB and Dragonfly, and managed services themselves: none can be had here. ' +
        '`test/cli/redis-services.test.ts` takes away the commands that managed services withhold.',
      'Test files without a Redis of their own kind of work (the doors, the console, the command line): the server makes no difference to them.',
    ],
  },
  proxies: {
    title: 'Proxies',
    files: ['test/deploy/proxies.test.ts'],
    rows: [
      { name: 'nginx', suite: null, proxy: 'nginx' },
      { name: 'HAProxy', suite: null, proxy: 'haproxy' },
      { name: 'Caddy', suite: null, proxy: 'caddy' },
      { name: 'Apache httpd', suite: null, proxy: 'apache' },
    ],
    notRun: [
      'Cloud load balancers, Kubernetes ingresses, Traefik, Envoy and IIS: none can be had here. docs/operations.md says what they have to do.',
    ],
  },
  java: {
    title: 'Java',
    files: [
      'test/flows/java-client.test.ts',
      'test/clients/java.test.ts',
      'test/clients/java-library.test.ts',
    ],
    rows: [
      { name: 'OpenJDK', suite: null },
      { name: 'OpenJDK', suite: 'sid', newest: /^openjdk-(\d+)-jdk-headless$/, program: 'java' },
    ],
    version: { args: ['--version'], form: /openjdk (\S+)/ },
    notRun: ['Android, and JDKs of other makers: none can be had here.'],
  },
  python: {
    title: 'Python',
    files: [
      'test/flows/python-client.test.ts',
      'test/clients/python.test.ts',
      'test/clients/python-library.test.ts',
    ],
    rows: [
      // Its own websockets is older than the library takes.
      {
        name: 'Python',
        suite: 'bullseye',
        packages: ['python3'],
        program: 'python3',
        modulesOfMachine: ['python3-websockets'],
      },
      { name: 'Python', suite: null },
      { name: 'Python', suite: 'sid', packages: ['python3', 'python3-websockets'], program: 'python3' },
    ],
    version: { args: ['--version'], form: /Python (\S+)/ },
    notRun: [
      'Pythons between these, and PyPy.',
      'websockets of Debian bullseye: it is older than 10.4. The Python of that suite runs with that of the machine.',
    ],
  },
};

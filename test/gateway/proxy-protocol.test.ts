import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Broker } from '../../src/broker.js';
import { readProxyHeader } from '../../src/gateway/proxy-protocol.js';
import { selfSigned } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const line = (text: string) => Buffer.from(`${text}\r\n`);
function binary(command: number, family: number, ...parts: readonly number[][]): Buffer {
  const body = Buffer.from(parts.flat());
  const head = Buffer.from([command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([signature, head, body]);
}
const ports = [0xc0, 0x00, 0x1f, 0x90];
const v4 = binary(0x21, 0x11, [192, 0, 2, 7], [10, 0, 0, 1], ports);
const six = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const v6 = binary(0x21, 0x21, six, six, ports, [0x04, 0x00, 0x01, 0xff]);

describe('a header of the PROXY protocol', () => {
  it.each([
    ['version 1', line('PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080'), '192.0.2.7'],
    ['version 1 of IPv6', line('PROXY TCP6 2001:db8::7 ::1 49152 8080'), '2001:db8::7'],
    ['version 1 of nobody known', line('PROXY UNKNOWN'), null],
    ['version 2', v4, '192.0.2.7'],
    ['version 2 of IPv6, with more behind', v6, '2001:db8:0:0:0:0:0:7'],
    ['version 2 of the proxy itself', binary(0x20, 0x00), null],
    ['version 2 of a local socket', binary(0x21, 0x31, Array(216).fill(0)), null],
  ])('of %s is read, whole and in pieces', (_, header, address) => {
    const behind = Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')]);
    expect(readProxyHeader(behind)).toEqual({ length: header.length, address });
    for (let cut = 1; cut < header.length; cut++) expect(readProxyHeader(header.subarray(0, cut))).toBeNull();
  });

  it.each([
    ['plain HTTP', Buffer.from('GET /v1/connect HTTP/1.1\r\n')],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(120)}`)],
    ['an address that is none', line('PROXY TCP4 999.0.0.1 10.0.0.1 1 2')],
    ['an address of the other kind', line('PROXY TCP4 ::1 ::1 1 2')],
    ['a line with too little', line('PROXY TCP4 192.0.2.7')],
    ['another version', binary(0x31, 0x11, [192, 0, 2, 7], [10, 0, 0, 1], ports)],
    ['a length beyond measure', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
  ])('of %s is none', (_, bytes) => {
    expect(readProxyHeader(bytes)).toBe(false);
  });
});

describe.each([
  ['in the clear', null],
  ['under TLS', selfSigned()],
])('the public port behind a proxy, %s', (_, tls) => {
  const redis = useRedis();
  let node: Broker;
  beforeAll(async () => {
    const more = {
      SOLESEAT_TRUSTED_PROXIES: 'loopback',
      SOLESEAT_PROXY_PROTOCOL: 'on',
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '1',
    };
    node = await startNode(redis.url, more, tls);
    await node.store.orgs.change('acme', { addresses: 'keep' }, 'test');
  });
  afterAll(() => node.stop());

  function dial(header: Buffer, user: string): WebSocket {
    const raw: Socket = connect(node.ports.public, '127.0.0.1');
    raw.on('error', () => {});
    raw.write(header);
    const createConnection = () =>
      tls === null ? raw : connectTls({ socket: raw, rejectUnauthorized: false });
    const headers = { authorization: `Bearer ${tokenFor(user)}` };
    return new WebSocket('ws://127.0.0.1/v1/connect', 'soleseat.v1', { headers, createConnection });
  }

  it('knows who is behind it: limits and history go by the true address', async () => {
    const first = dial(v4, 'ada');
    await new Promise((resolve) => first.once('open', resolve));
    first.send(JSON.stringify({ type: 'hello', machine: { id: 'pc' } }));
    const welcome = await new Promise((resolve) => first.once('message', (data) => resolve(String(data))));
    expect(welcome).toContain('welcome');
    const refused = await new Promise((resolve) => dial(v4, 'bob').once('error', resolve));
    expect(String(refused)).toContain('429');
    const other = dial(v6, 'bob');
    await new Promise((resolve) => other.once('open', resolve));
    other.terminate();
    first.close(1000);
    const path = `http://127.0.0.1:${node.ports.admin}/v1/admin/orgs/acme/history/ada`;
    const authorization = `Bearer ${adminTokenFor()}`;
    await eventually(async () =>
      (await (await fetch(path, { headers: { authorization } })).text()).includes('192.0.2.7'),
    );
  });

  it('closes a connection without a header, and says nothing', async () => {
    for (const bytes of [
      Buffer.from('GET /v1/connect HTTP/1.1\r\nHost: a\r\n\r\n'),
      Buffer.from([0x16, 3, 1, 2, 0]),
    ]) {
      const socket = connect(node.ports.public, '127.0.0.1');
      let got = '';
      socket.on('data', (data) => {
        got += data;
      });
      socket.on('error', () => {});
      socket.write(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
      expect(got).toBe('');
    }
  });
});

import {
  type Answer,
  judgeGrant,
  judgeNotice,
  judgeRefusal,
  judgeRestart,
  judgeResume,
  judgeTakeover,
  type Welcome,
} from './demo-judge.js';
import { Program } from './demo-program.js';
import type { Stage } from './demo-stage.js';
import type { Outcome, Step } from './demo-step.js';
import type { Wire } from './demo-wire.js';

/** The story in order; each step goes on from where the one before ended. */
export async function writeStory(stage: Stage): Promise<readonly Step[]> {
  const { nodes, token } = stage;
  const start = (machine: string, wire: Wire, onConflict: 'takeover' | 'deny') => {
    const program = Program.start(machine, wire, token, onConflict);
    stage.atStop(() => program.client.disconnect());
    return program;
  };
  const [a, b] = nodes;
  const deskWire = await stage.wire(a, b);
  const laptopWire = await stage.wire(b, a);
  const homeWire = await stage.wire(a);
  let desk: Program;
  let laptop: Program;
  let held: Welcome;
  let takeoverMs: number;
  let notice: ReturnType<Program['notice']>;

  return [
    {
      name: 'grant',
      title: 'The workstation takes the seat',
      telling: 'Ada starts the program on the workstation, which reaches node A.',
      play: async () => {
        desk = start('workstation', deskWire, 'takeover');
        const answer = await desk.answer();
        if (answer.kind === 'welcome') held = answer;
        return outcome(answer, judgeGrant(answer), `Granted in ${ms(answer.ms)}: ${sessionOf(answer)}.`);
      },
    },
    {
      name: 'takeover',
      title: 'The laptop takes it over',
      telling: 'Ada opens the laptop, which reaches the other node, B. She waits for nobody.',
      play: async () => {
        takeoverMs = performance.now();
        notice = desk.notice(takeoverMs);
        laptop = start('laptop', laptopWire, 'takeover');
        const answer = await laptop.answer(takeoverMs);
        const problems = judgeTakeover(answer, 'workstation', held);
        if (answer.kind === 'welcome') held = answer;
        return outcome(answer, problems, `Welcome in ${ms(answer.ms)}: ${sessionOf(answer)}.`);
      },
    },
    {
      name: 'notice',
      title: 'The workstation is told, and told why',
      telling: 'It is connected to node A, and node B granted the seat.',
      play: async () => {
        const told = await notice;
        return {
          ms: told.ms,
          says: [
            `Told ${ms(told.ms)} after the laptop's call: ${told.reason} by ${told.by}, then close ${told.closeCode}.`,
          ],
          facts: told,
          problems: judgeNotice(told, 'taken_over', 'laptop', held),
        };
      },
    },
    {
      name: 'restart',
      title: 'The program restarts on the same machine',
      telling: 'On the laptop the program hangs. Ada starts it again.',
      play: async () => {
        const startedMs = performance.now();
        const superseded = laptop.notice(startedMs);
        laptop = start('laptop', laptopWire, 'takeover');
        const answer = await laptop.answer(startedMs);
        const problems = judgeRestart(answer, held);
        if (answer.kind !== 'welcome') return outcome(answer, problems);
        held = answer;
        const told = await superseded;
        return outcome(
          answer,
          [...problems, ...judgeNotice(told, 'superseded', 'laptop', answer)],
          `No conflict with itself: granted in ${ms(answer.ms)}, ${sessionOf(answer)}.`,
          `The hanging program was told ${told.reason} after ${ms(told.ms)}.`,
        );
      },
    },
    {
      name: 'crash',
      title: 'A node dies',
      telling: 'kill -9 for node B, to which the laptop is connected. Node A is left.',
      play: async () => {
        const startedMs = performance.now();
        const back = laptop.answer(startedMs);
        await b.kill();
        const answer = await back;
        const problems = judgeResume(answer, held);
        if (answer.kind === 'welcome') held = answer;
        return outcome(
          answer,
          problems,
          `Resumed on node A in ${ms(answer.ms)}, the same ${sessionOf(answer)}.`,
        );
      },
    },
    {
      name: 'reconnect',
      title: 'A reconnect never steals',
      telling:
        'The workstation takes the seat back and loses its network; Ada moves to the laptop; the network returns.',
      play: async () => {
        const [deskAnswer, told, cut] = [desk.answer(), laptop.notice(), desk.disconnected()];
        desk.client.takeOver();
        await Promise.all([deskAnswer, told]);
        deskWire.cut();
        await cut;
        const laptopAnswer = laptop.answer();
        laptop.client.takeOver();
        await laptopAnswer;
        const sessionBefore = laptop.client.sessionId;
        const refusal = desk.answer();
        deskWire.mend();
        const answer = await refusal;
        const isRenewed = await laptop.renewal();
        const watch = { sessionBefore, sessionAfter: laptop.client.sessionId, isRenewed };
        return {
          ms: answer.ms,
          says: [
            `The workstation came back after ${ms(answer.ms)} and was told: ${holderOf(answer)} has the seat.`,
            'The laptop noticed nothing; its lease was renewed.',
          ],
          facts: { ...answer, ...watch },
          problems: judgeRefusal(answer, 'laptop', watch),
        };
      },
    },
    {
      name: 'release',
      title: 'The seat is given back',
      telling: 'Ada closes the program on the laptop and asks, politely ("deny"), from the computer at home.',
      play: async () => {
        const startedMs = performance.now();
        await laptop.client.release();
        const releasedMs = performance.now() - startedMs;
        const home = start('home-pc', homeWire, 'deny');
        const answer = await home.answer();
        await home.client.release();
        return outcome(
          answer,
          judgeGrant(answer),
          `Released in ${ms(releasedMs)}, free at once: granted in ${ms(answer.ms)}.`,
        );
      },
    },
  ];
}

function outcome(answer: Answer, problems: readonly string[], ...says: readonly string[]): Outcome {
  return { ms: answer.ms, says, facts: answer, problems };
}

const ms = (duration: number): string => `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`;

function sessionOf(answer: Answer): string {
  return answer.kind === 'welcome' ? `session …${answer.sessionId.slice(-6)}, epoch ${answer.epoch}` : '';
}

function holderOf(answer: Answer): string {
  return answer.kind === 'conflict' ? `the ${answer.holder}` : 'nobody';
}

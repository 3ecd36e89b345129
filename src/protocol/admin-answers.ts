/** Written by `npm run docs` from the schemas in `src/admin/routes`; change them there. Times are RFC 3339, durations in ms. */
export interface AdminAnswers {
  readonly getOpenApi: Readonly<Record<string, unknown>>;
  readonly signIn: {
    readonly subject: string;
    readonly role: 'viewer' | 'operator' | 'admin' | 'owner';
    readonly org: string | null;
    /** When the token ends. */
    readonly expiresAt: string;
  };
  readonly whoAmI: AdminAnswers['signIn'];
  readonly listOrgs: {
    readonly items: readonly {
      readonly org: string;
      readonly quota: number | null;
      /** Licenses issued: all but the revoked ones. */
      readonly issued: number;
      readonly available: number | null;
      /** Sessions at present. */
      readonly active: number;
      /** Most sessions at once, ever. */
      readonly peak: number;
    }[];
    readonly next: string | null;
  };
  readonly getOrg: {
    readonly org: string;
    readonly settings: {
      readonly quota: number | null;
      readonly licenseMode: 'required' | 'auto' | 'open' | null;
      readonly containers: 'allow' | 'deny' | null;
      readonly machines: 'any' | 'listed' | null;
      readonly addresses: 'keep' | null;
      readonly timeZone: string | null;
      readonly letterCase: 'ignore' | null;
      readonly maxActive: number | null;
      readonly maxActiveOverdraft: number | null;
      readonly minVersion: Readonly<Record<string, string>> | null;
      readonly minVersionFrom: string | null;
      readonly askWaitMs: number | null;
      readonly askRefusal: 'final' | null;
      readonly leaveMaxMs: number | null;
      readonly leaveReturn: 'bound' | null;
      readonly sameMachine: 'share' | null;
      readonly idleLimitMs: number | null;
    };
    readonly suspendedAt: string | null;
    readonly counts: {
      /** Licenses issued: all but the revoked ones. */
      readonly issued: number;
      readonly available: number | null;
      /** Places in the quota that tickets keep: of users who were on leave when their licenses were revoked. */
      readonly kept: number;
      /** Licenses suspended, among those issued. */
      readonly suspended: number;
      /** Licenses expired, among those issued. */
      readonly expired: number;
      /** Licenses revoked. */
      readonly revoked: number;
      /** Sessions at present. */
      readonly active: number;
      /** Most sessions at once, ever. */
      readonly peak: number;
      readonly peakAt: string | null;
      /** Seats granted, without resumes. */
      readonly grants: number;
      /** Sessions resumed on a new connection. */
      readonly resumes: number;
      /** Sessions displaced by another machine. */
      readonly takeovers: number;
      /** Leases that a node put back after Redis had lost them. */
      readonly reasserted: number;
      /** Sessions ended, by reason; released: by the program itself. */
      readonly evictions: Readonly<Record<string, number>>;
      /** Claims refused, by reason. */
      readonly denials: Readonly<Record<string, number>>;
      /** Seats granted beyond what the org may use at once. */
      readonly overdrafts: number;
      /** Time in use of all seats together. */
      readonly seatHours: number;
      /** Users of the present day in the org’s time zone (±1 %). */
      readonly uniqueUsersToday: number;
      /** Users of the present month in the org’s time zone (±1 %). */
      readonly uniqueUsersThisMonth: number;
    };
  };
  readonly changeOrg: AdminAnswers['getOrg'];
  readonly recountOrg: {
    /** Licenses looked at. */
    readonly licenses: number;
    readonly differences: readonly {
      readonly counter: string;
      readonly stored: number;
      readonly counted: number;
    }[];
    readonly repaired: boolean;
  };
  readonly recountOrgs: {
    /** Orgs added up. */
    readonly orgs: number;
    readonly differences: readonly {
      readonly total: string;
      readonly stored: number;
      readonly counted: number;
    }[];
    readonly repaired: boolean;
  };
  readonly suspendOrg: {
    readonly suspendedAt: string | null;
    /** Sessions that are being ended. */
    readonly ending: number;
  };
  readonly reinstateOrg: {
    readonly suspendedAt: string | null;
    /** Sessions that are being ended. */
    readonly ending: number;
  };
  readonly listLicenses: {
    readonly items: readonly AdminAnswers['issueLicense'][];
    readonly next: string | null;
  };
  readonly issueLicense: {
    /** Whose license it is. */
    readonly user: string;
    readonly id: string;
    readonly status: 'active' | 'suspended' | 'expired' | 'revoked';
    /** When it was issued. */
    readonly issuedAt: string;
    readonly expiresAt: string | null;
    readonly expiresOn: string | null;
    readonly kind: string | null;
    readonly startsAt: string | null;
    /** For how many days after its end it holds. */
    readonly graceDays: number;
    /** No idle limit of the org holds for it. */
    readonly idleExempt: boolean;
    readonly note: string | null;
    readonly lastUsedAt: string | null;
  };
  readonly getLicense: AdminAnswers['issueLicense'];
  readonly suspendLicense: {
    /** The right of one user to one active session. */
    readonly license: AdminAnswers['issueLicense'];
    readonly endedSessionId: string | null;
  };
  readonly reinstateLicense: AdminAnswers['suspendLicense'];
  readonly revokeLicense: AdminAnswers['suspendLicense'];
  readonly transferLicense: AdminAnswers['suspendLicense'];
  readonly setLicenseExpiry: AdminAnswers['suspendLicense'];
  readonly changeLicense: AdminAnswers['suspendLicense'];
  readonly setLicenseNote: AdminAnswers['suspendLicense'];
  readonly listUnusedLicenses: {
    readonly items: readonly AdminAnswers['issueLicense'][];
    readonly next: string | null;
  };
  readonly listSessions: {
    readonly items: readonly AdminAnswers['getSession'][];
    readonly next: string | null;
  };
  readonly getSession: {
    readonly user: string;
    readonly sessionId: string;
    /** The fencing token of the grant. */
    readonly epoch: number;
    /** The node that serves it. */
    readonly nodeId: string;
    /** When the seat was granted. */
    readonly since: string;
    /** Time left to the lease without a renewal. */
    readonly ttlMs: number;
    readonly onLeaveUntil: string | null;
    readonly activeAt: string | null;
    /** Several programs of the machine hold it together. */
    readonly shared: boolean;
    readonly machine: {
      readonly id: string;
      readonly name?: string;
      readonly os?: string;
      readonly kind?: 'physical' | 'virtual' | 'container';
    };
  };
  readonly evictSession: {
    readonly evicted: {
      readonly sessionId: string;
      /** The fencing token of the grant. */
      readonly epoch: number;
    } | null;
    /** Until when the user gets no seat. */
    readonly holdUntil?: string;
  };
  readonly introspect: {
    readonly active: boolean;
    /** When the seat was granted. */
    readonly since?: string;
    /** Time left to the lease without a renewal. */
    readonly ttlMs?: number;
    readonly machine?: {
      readonly id: string;
      readonly name?: string;
      readonly os?: string;
      readonly kind?: 'physical' | 'virtual' | 'container';
    };
  };
  readonly revokeTokens: {
    readonly endedSessionId: string | null;
  };
  readonly listRevocations: {
    readonly items: readonly {
      /** Whose tokens are refused. */
      readonly user?: string;
      /** The `jti` of the one token that is refused. */
      readonly jti?: string;
      /** Tokens of the user up to then; or when the token was revoked. */
      readonly at: string;
    }[];
    readonly next: string | null;
  };
  readonly getUser: {
    /** The user, as the org spells the name. */
    readonly user: string;
    /** Whether there is a license, a session, a machine or a past. */
    readonly isKnown: boolean;
    readonly hold: {
      /** Until when the user gets no seat. */
      readonly until: string;
      readonly actor: string | null;
      readonly note: string | null;
    } | null;
  };
  readonly holdUser: {
    readonly holdUntil: string | null;
  };
  readonly renameUser: {
    readonly endedSessionId: string | null;
  };
  readonly forgetUser: {
    readonly forgotten: boolean;
    readonly license: string | null;
    /** Whether a live session ends. */
    readonly hasSession: boolean;
    /** Machines. */
    readonly machines: number;
    /** Lines of the history. */
    readonly sessions: number;
  };
  readonly listMachines: {
    readonly items: readonly {
      readonly id: string;
      readonly name?: string;
      readonly os?: string;
      readonly kind?: 'physical' | 'virtual' | 'container';
      /** When it first got the seat. */
      readonly firstSeen: string;
      /** When it last got the seat. */
      readonly lastSeen: string;
      /** How often, resumes included. */
      readonly times: number;
      /** Two programs with this id ran at once under different names: a copied machine. */
      readonly double?: {
        readonly names: readonly string[];
        /** The last time. */
        readonly at: string;
      };
    }[];
    readonly next: string | null;
  };
  readonly listMachineRules: {
    readonly items: readonly AdminAnswers['setMachineRule'][];
    readonly next: string | null;
  };
  readonly setMachineRule: {
    readonly machineId: string;
    /** allow: comes in also where only listed machines do; deny: never comes in. */
    readonly rule: 'allow' | 'deny';
  };
  readonly listEvents: {
    readonly items: readonly {
      /** Rises with every event. */
      readonly id: string;
      readonly type: string;
      /** When it happened, by Redis’s clock. */
      readonly at: string;
      /** user, broker, or the sub of an admin token. */
      readonly actor?: string;
      /** The role of an actor who came with an admin token. */
      readonly role?: string;
      readonly user?: string;
      /** In place of `user` where the user has been forgotten. */
      readonly userKey?: string;
      readonly machine?: string;
      readonly reason?: string;
      readonly sessionId?: string;
      readonly epoch?: number;
      readonly node?: string;
      /** What else belongs to this type. */
      readonly details: Readonly<Record<string, string>>;
    }[];
    readonly next: string | null;
  };
  readonly listHistory: {
    readonly items: readonly ({
      readonly kind: 'session';
      readonly sessionId: string;
      /** When the seat was granted. */
      readonly began: string;
      readonly ended: string | null;
      /** From the beginning to the end, or until now. */
      readonly hours: number;
      readonly machine: {
        readonly id: string;
        readonly name?: string;
      };
      /** The program, as it calls itself. */
      readonly client?: {
        readonly name?: string;
        readonly version?: string;
      };
      /** Where the org keeps addresses. */
      readonly address?: string;
      /** Why it ended. */
      readonly reason?: string;
      /** The actor who ended it: user, broker, or the sub of an admin token. */
      readonly actor?: string;
    } | {
      readonly kind: 'refusal';
      /** When it was refused. */
      readonly at: string;
      readonly reason: string;
      readonly machine: {
        readonly id: string;
      };
      /** How many refusals of one minute the line stands for; the last had this reason and machine. */
      readonly count: number;
    })[];
    readonly next: string | null;
  };
  readonly getUsage: {
    /** The zone of the hours and days: the org’s. */
    readonly timeZone: string;
    readonly items: readonly {
      /** When the hour or the day begins. */
      readonly at: string;
      /** The day, as `2027-01-31`; by day only. */
      readonly day?: string;
      /** Most sessions at once. */
      readonly peak: number;
      /** Seats granted, without resumes. */
      readonly grants: number;
      /** Sessions resumed. */
      readonly resumes: number;
      /** Sessions displaced by another machine. */
      readonly takeovers: number;
      /** Claims refused. */
      readonly denials: number;
      /** Time in use of all seats together. */
      readonly seatHours: number;
      /** Users who came in (±1 %); by day only. */
      readonly uniqueUsers?: number;
      /** It begins or ends within an hour of UTC of which the quarters are kept no more (40 days): that hour counts for what begins in it. */
      readonly wholeHours?: true;
      /** The users are those of a day of UTC: version 0.1 kept no others. */
      readonly usersOfUtcDay?: true;
    }[];
    readonly next: string | null;
  };
  readonly listWebhooks: {
    readonly items: readonly AdminAnswers['getWebhook'][];
    readonly next: string | null;
  };
  readonly createWebhook: {
    readonly webhook: AdminAnswers['getWebhook'];
    /** whsec_…, shown this once. Receivers check signatures with it. */
    readonly secret: string;
  };
  readonly getWebhook: {
    readonly id: string;
    /** Where events are posted to. */
    readonly url: string;
    /** For people. */
    readonly description: string;
    readonly types: readonly string[] | null;
    readonly orgs: readonly string[] | null;
    /** paused: an owner wants nothing sent, and events wait. parked: it cannot go on by itself, and hears of nothing new. */
    readonly state: 'active' | 'paused' | 'parked';
    readonly reason: 'too_many_waiting' | 'gone' | null;
    /** When it was registered. */
    readonly createdAt: string;
    /** How many secrets sign at present. */
    readonly secrets: number;
    /** Events that wait to be tried again, as of the last second. */
    readonly waiting: number;
    /** Events that could not be delivered within a day. */
    readonly parked: number;
  };
  readonly changeWebhook: AdminAnswers['getWebhook'];
  readonly rotateWebhookSecret: {
    readonly webhook: AdminAnswers['getWebhook'];
    /** whsec_…, shown this once. Receivers check signatures with it. */
    readonly secret: string;
  };
  readonly testWebhook: {
    readonly delivered: boolean;
    /** What the receiver answered. */
    readonly status?: number;
    /** Why it was not delivered. */
    readonly error?: string;
  };
  readonly listParkedEvents: {
    readonly items: readonly {
      /** For replaying it. */
      readonly id: string;
      readonly org: string;
      /** As listEvents gives it. */
      readonly event: Readonly<Record<string, unknown>>;
      /** How often it was tried. */
      readonly attempts: number;
      /** What was wrong the last time. */
      readonly error: string;
      /** When it was put aside. */
      readonly parkedAt: string;
    }[];
    readonly next: string | null;
  };
  readonly replayParkedEvents: {
    /** How many are sent again. */
    readonly replayed: number;
  };
  readonly listNodes: {
    readonly items: readonly {
      readonly nodeId: string;
      /** Its last heartbeat. */
      readonly lastSeen: string;
      /** Heard within the last seconds. */
      readonly isLive: boolean;
      readonly version?: string;
      /** The version of the data that it writes; left out by version 0.1. */
      readonly schema?: string;
      /** Where clients reach it, as it listens. */
      readonly publicAddress?: string;
      /** When it started. */
      readonly startedAt?: string;
      /** Sessions that it serves. */
      readonly sessions?: number;
      readonly state?: 'ready' | 'draining';
    }[];
    readonly next: string | null;
  };
  readonly watchOverview: {
    /** By the clock of the node that answers. */
    readonly at: string;
    /** All of them. */
    readonly orgs: {
      /** Orgs that are summed. */
      readonly summed: number;
      /** Orgs that there are. */
      readonly total: number;
    };
    /** Sessions now. */
    readonly active: number;
    /** Licenses that count against a quota. */
    readonly issued: number;
    readonly quota: number | null;
    /** Most sessions so far. */
    readonly peak: number;
    /** Within the last minute, as far as it was watched. */
    readonly takeoversPerMinute: number;
    readonly nodeEvictionLatency: {
      readonly medianMs: number;
      /** It took at least this long. */
      readonly isOver: boolean;
    } | null;
    /** Nodes that live. */
    readonly nodes: number;
    readonly redis: {
      readonly up: boolean;
    };
  };
}

type ListId = {
  [Id in keyof AdminAnswers]: AdminAnswers[Id] extends { readonly items: readonly unknown[] } ? Id : never;
}[keyof AdminAnswers];
/** One row of a list. */
export type RowOf<Id extends ListId> = AdminAnswers[Id]['items'][number];

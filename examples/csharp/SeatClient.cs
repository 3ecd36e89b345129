// A Soleseat client for .NET in one file, without a package: .NET 6 and later, .NET Framework 4.7.2 and later, Mono 6.
//
// Copy it into your program as it is. With -define:SEAT_KIT_PROGRAM it is a program of its own, the one that
// `soleseat client-test` judges:
//
//   mcs -langversion:7.2 -define:SEAT_KIT_PROGRAM -r:System.Net.Http -out:SeatClient.exe SeatClient.cs
//   soleseat client-test -- mono SeatClient.exe
//
// Why is there no ClientWebSocket in it? It hides pings, and the Retry-After of a refused handshake before .NET 7. Mono and .NET
// before 8 answer 1012 and 1013 with an exception, and Mono hides the status of a refused handshake. A client that cannot tell
// these apart gives up when it should try again. So class WebSocketLink speaks RFC 6455 itself, over SslStream.
//
// What it does not do: it judges no tickets and takes no seat along, as Mono has no ECDSA. So it sends no nonce, no ticket and no leave, and
// these rules are not about it: [nonce-fresh] [ticket-proves] [ticket-no-clock] [ticket-first] [untrusted-final]
// and these neither: [leave-left] [left-final] [ticket-shown] [ticket-once]
//
// A tag such as [reconnect-deny] names the rule of PROTOCOL.md that the line keeps.
#if NET5_0_OR_GREATER
// Nothing here says what may be null, as Mono's compiler does not know how to.
#pragma warning disable CS8600, CS8601, CS8602, CS8603, CS8604, CS8605, CS8618, CS8619, CS8622, CS8625, CS8629, CS8632
#endif

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32;

namespace Soleseat
{
    public enum SeatState { Connecting, Active, Jeopardy, Reconnecting, Evicted, Conflict, Denied, Closed }

    /// <summary>
    /// Takeover: to start the program takes the seat. Deny: the program asks the person first. Ask: the holder is asked first.
    /// </summary>
    public enum ConflictPolicy { Takeover, Deny, Ask }

    /// <summary>What a token is for. After the last two it must be another one than before.</summary>
    public enum TokenNeed { Connect, TokenExpiring, TokenExpired, TokenNotYetAccepted }

    public enum CauseKind { Status, Tls, HostNotFound, Refused, Timeout, Silence, Close, Token, Network }

    public sealed class SeatMachine
    {
        /// <summary>The same at every start of the program on this computer.</summary>
        public string Id; // [machine-id]
        public string Name;
        public string Os;
        /// <summary>physical, virtual or container.</summary>
        public string Kind;

        /// <summary>
        /// This computer. The id is the one that our libraries give for the same application: a hash, as the system's own id
        /// is not for others to see.
        /// </summary>
        public static SeatMachine OfThisComputer(string application)
        {
            var system = RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? WindowsId() : LinuxId();
            if (system == null)
                throw new PlatformNotSupportedException("This system has no machine id: give one that never changes.");
            using (var hash = new HMACSHA256(Encoding.UTF8.GetBytes(system)))
            {
                var bytes = hash.ComputeHash(Encoding.UTF8.GetBytes("soleseat:" + application));
                var id = string.Concat(bytes.Take(16).Select(one => one.ToString("x2")));
                return new SeatMachine { Id = id, Name = Environment.MachineName, Os = RuntimeInformation.OSDescription };
            }
        }

        private static string WindowsId()
        {
            if (!RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) return null;
            using (var machine = RegistryKey.OpenBaseKey(RegistryHive.LocalMachine, RegistryView.Registry64))
            using (var key = machine.OpenSubKey(@"SOFTWARE\Microsoft\Cryptography"))
                return key?.GetValue("MachineGuid") as string;
        }

        private static string LinuxId() =>
            new[] { "/etc/machine-id", "/var/lib/dbus/machine-id" }
                .Where(File.Exists)
                .Select(path => File.ReadAllText(path).TrimEnd())
                .FirstOrDefault(text => Regex.IsMatch(text, "^[0-9a-f]{32}$"));
    }

    public sealed class SeatOptions
    {
        /// <summary>Such as wss://seats.example.com. Without a path, /v1/connect is added.</summary>
        public Uri Url;
        public SeatMachine Machine;
        /// <summary>Fetches a token from your back end or your identity provider.</summary>
        public Func<TokenNeed, CancellationToken, Task<string>> GetToken;
        public ConflictPolicy OnConflict = ConflictPolicy.Takeover;
        /// <summary>Name and version of your program.</summary>
        public string Program;
        public string ProgramVersion;
        /// <summary>
        /// How long nobody has been at work, in milliseconds. The idle limit of the org holds only for a program that gives this; it
        /// also calls Activity().
        /// </summary>
        public Func<long> IdleMs;
        /// <summary>The program answers TakeoverRequested. Without it, a machine that asks gets the seat without a question.</summary>
        public bool Asks;
        public int TokenTimeoutMs = 15000;
        public int ConnectTimeoutMs = 10000;
        public int FirstWaitMs = 500;
        public int LongestWaitMs = 30000;
        /// <summary>For an authority of your own. Null: the system decides whom to trust.</summary>
        public RemoteCertificateValidationCallback ServerCertificateValidation;
        public X509CertificateCollection ClientCertificates;
        /// <summary>The way out, by CONNECT; credentials are sent as Basic. Null: none.</summary>
        public IWebProxy Proxy = WebRequest.DefaultWebProxy;
        /// <summary>Where events are raised: by default in the thread of the user interface, if that makes the client.</summary>
        public SynchronizationContext Context = SynchronizationContext.Current;
    }

    /// <summary>Why a connection ended, or did not come about.</summary>
    public sealed class SeatCause
    {
        public readonly CauseKind Kind;
        /// <summary>A sentence for people.</summary>
        public readonly string Message;
        /// <summary>The HTTP status of a refused handshake, else 0.</summary>
        public readonly int Status;
        /// <summary>The wait that a refused handshake asked for.</summary>
        public readonly long? RetryAfterMs;

        public SeatCause(CauseKind kind, string message, int status = 0, long? retryAfterMs = null)
        {
            Kind = kind;
            Message = message;
            Status = status;
            RetryAfterMs = retryAfterMs;
        }
    }

    public sealed class Grant { public string SessionId; public long Epoch; public bool Resumed; public string Displaced; }
    public sealed class Lease { public long Epoch; public long TtlMs; }
    public sealed class Eviction { public string Reason; public string By; public long AtMs; public long Epoch; }
    public sealed class Holder { public string Name; public long SinceMs; public bool IsSameMachine; public bool IsAsking; public long? WaitMs; }
    public sealed class Request { public string By; public long AnswerWithinMs; }
    public sealed class Denial { public int Code; public string Reason; public string Message; }
    public sealed class Fault { public string Code; public string Message; public long? RetryAfterMs; }
    public sealed class Reconnect { public long InMs; public int Code; public SeatCause Cause; }
    public sealed class Ending { public int Code; public string Reason; }

    /// <summary>
    /// One program's hold on its user's seat. Every member may be used from any thread. Events come one after another, in
    /// Options.Context or else in the thread pool, and never from within a call.
    /// </summary>
    public sealed class SeatClient : IDisposable
    {
        private const int Released = 1000;
        private const int Left = 4000; // [leave-not-1000]
        private const long Never = long.MaxValue;
        private const int LookEveryMs = 1000;
        /// <summary>A look that comes this much late: the computer slept, or the process stood still.</summary>
        private const int JumpMs = 5000;
        /// <summary>After a stall, time to read what lies in the socket before the connection is judged.</summary>
        private const int ReadMs = 250;
        private const int LeastPatienceMs = 5000;
        private const int CloseMs = 2000;
        private const int ReleaseTimeoutMs = 2000;
        /// <summary>However short its tokens are, a client asks for no more of them than one in this time.</summary>
        private const int RefreshPauseMs = 5000;

        public event Action<SeatState> StateChanged;
        public event Action<Grant> Welcomed;
        public event Action<Lease> LeaseRenewed;
        public event Action<long> LeaseExpired;
        public event Action<Eviction> Evicted;
        public event Action<Holder> Conflict;
        /// <summary>While a conflict waits: the holder has left. Others may be told the same.</summary>
        public event Action SeatFree;
        /// <summary>The holder was asked, and said no. The connection waits on.</summary>
        public event Action AskRefused;
        /// <summary>Another machine asks for the seat, which stays here until Evicted. Call Answer().</summary>
        public event Action<Request> TakeoverRequested;
        public event Action TakeoverWithdrawn;
        public event Action<Denial> Denied;
        public event Action<long> Jeopardy;
        public event Action Recovered;
        /// <summary>Nobody was at work for long: without Activity() the session ends in so many milliseconds.</summary>
        public event Action<long> IdleWarning;
        public event Action<Reconnect> Reconnecting;
        public event Action<Fault> Error;
        public event Action<Ending> Closed;

        private sealed class Session
        {
            public readonly string Id;
            public readonly long Epoch;
            public Session(string id, long epoch) { Id = id; Epoch = epoch; }
        }

        /// <summary>What was said on a connection that matters once it is closed.</summary>
        private sealed class Seen
        {
            public string EvictedReason;
            public string ErrorMessage;
            public long? DrainWithinMs;
            public long? RetryAfterMs;
            /// <summary>A takeover is not answered yet; whether it asks for a free seat only.</summary>
            public bool? ClaimIsIfFree;
            public bool IsAsking;
            /// <summary>A person clicked meanwhile.</summary>
            public bool WantsSeat;
            public bool WasOpen;

            /// <summary>The session goes on: an error that came before says nothing of a close that comes later.</summary>
            public void ForgetError() // [error-without-close]
            {
                ErrorMessage = null;
                RetryAfterMs = null;
            }
        }

        private readonly SeatOptions options;
        private readonly Uri url;
        private readonly string instance = Chance.Hex(16); // [instance-new] [instance-same]
        private readonly LeaseClock lease = new LeaseClock();
        private readonly Serial listeners = new Serial();
        /// <summary>All that follows is used by the thread of the loop alone, but for what is volatile.</summary>
        private readonly Loop loop = new Loop();

        private volatile SeatState state = SeatState.Closed;
        private volatile Session session;
        private WebSocketLink link;
        private Seen seen = new Seen();
        /// <summary>The policy of the attempt under way; null once it is answered.</summary>
        private ConflictPolicy? dialling;
        /// <summary>Grows with every attempt and stop: what was begun under an older number is stale.</summary>
        private int attempt;
        private long hellos;
        private int failures;
        private TokenNeed need = TokenNeed.Connect;
        private string toldFault;

        private TaskCompletionSource<bool> releasing;
        private bool hasLeft;
        /// <summary>Listeners were told that the seat is here: that it no longer is will be told too.</summary>
        private bool isHeld;
        /// <summary>The broker asked for the wait: waking up does not cut it short.</summary>
        private bool isWaitAsked;
        private bool waitsInConflict;
        private long renewEveryMs = 60000;
        private long beatDueMs = Never;
        private long? uselessSinceMs;
        private long lookedWallMs = Clocks.WallMs();

        private bool isRefreshing;
        private TokenNeed refreshNeed;
        private int refreshTries;
        private long refreshNotBeforeMs;

        /// <summary>How often the broker wants to hear of activity; null where the session has no idle limit.</summary>
        private long? reportEveryMs;
        private long? reportedMs;
        private long activeMs;
        private bool isIdleWarned;

        private readonly Alarm looking, answering, retrying, giving, refreshing, reporting;

        /// <summary>Throws ArgumentException for an address that can never be a broker's.</summary>
        public SeatClient(SeatOptions options)
        {
            if (options.GetToken == null || options.Machine?.Id == null)
                throw new ArgumentException("GetToken and Machine.Id are needed");
            this.options = options;
            url = SocketUrl(options.Url);
            looking = loop.Alarm(Look);
            var overdue = new SeatCause(CauseKind.Timeout, "The broker gave no answer in time.");
            answering = loop.Alarm(() => GiveUp(overdue)); // [answer-timeout]
            retrying = loop.Alarm(() => Dial(ConflictPolicy.Deny)); // [reconnect-deny]
            const string noAnswer = "no answer to release";
            giving = loop.Alarm(() => Finish(SeatState.Closed, WebSocketLink.NoCloseFrame, noAnswer)); // [release-timeout]
            refreshing = loop.Alarm(FetchRefresh);
            reporting = loop.Alarm(ReportActivity);
        }

        public SeatState State => state;
        public string SessionId => session?.Id;
        /// <summary>The fencing token for your services: the higher epoch is the true owner. Null without a session.</summary>
        public long? Epoch => session?.Epoch;
        /// <summary>Whether the program may count on the seat right now, connected or not.</summary>
        public bool HoldsLease() => lease.Holds();

        /// <summary>
        /// When the lease ends, on the clock of Stopwatch.GetTimestamp(); null where there is none. It does not see a sleep of the
        /// computer: ask HoldsLease() before you act.
        /// </summary>
        public long? LeaseDeadline
        {
            get
            {
                var leftMs = lease.LeftMs();
                if (leftMs == null) return null;
                return Stopwatch.GetTimestamp() + (long)(leftMs.Value / 1000.0 * Stopwatch.Frequency);
            }
        }

        /// <summary>Connects, for the first time.</summary>
        public void Start()
        {
            loop.Invoke(() =>
            {
                if (attempt != 0) return;
                Dial(options.OnConflict);
                Become(SeatState.Connecting);
            });
        }

        /// <summary>A person chose "use here". Beside Start, only this takes the seat from another machine.</summary>
        public void TakeOver() => loop.Invoke(TakeOverNow);

        /// <summary>A person chose "try again": an attempt at once, which displaces nobody.</summary>
        public void RetryNow() // [person-may-retry]
        {
            loop.Invoke(() =>
            {
                var isBusy = dialling != null || (HasSeat() && link != null);
                if (isBusy || hasLeft || releasing != null) return;
                Dial(ConflictPolicy.Deny);
                Become(SeatState.Connecting);
            });
        }

        /// <summary>
        /// A person chose "ask for it": the holder is asked. Conflict with IsAsking tells that it is, then Welcomed or AskRefused what
        /// came of it.
        /// </summary>
        public void Ask() // [ask-by-person] [ask-waits]
        {
            loop.Invoke(() =>
            {
                var isBusy = (dialling != null && dialling != ConflictPolicy.Deny) || HasSeat() || (state == SeatState.Conflict && seen.IsAsking);
                if (isBusy || releasing != null) return;
                hasLeft = false;
                Dial(ConflictPolicy.Ask);
                Become(SeatState.Connecting);
            });
        }

        /// <summary>What the person says to TakeoverRequested: to yield, perhaps after a time in which to save, or not.</summary>
        public void Answer(bool yields, long? needMs = null)
        {
            var answer = new Fields { { "type", "answer" }, { "yield", yields } };
            if (needMs != null) answer["needMs"] = Math.Max(0, needMs.Value);
            loop.Invoke(() => Send(answer));
        }

        /// <summary>While a conflict waits: for a program that acts without a click, as at SeatFree. Displaces nobody.</summary>
        public void TakeIfFree() => loop.Invoke(() => Claim(true)); // [take-if-free]

        /// <summary>
        /// The person was at work so long ago. For every key and click: the broker is told no more often than it wants to hear it.
        /// </summary>
        public void Activity(long idleMs = 0)
        {
            loop.Invoke(() =>
            {
                if (reportEveryMs == null) return;
                var nowMs = Clocks.MonotonicMs();
                activeMs = Math.Max(activeMs, nowMs - idleMs);
                if (isIdleWarned || reportedMs == null || nowMs - reportedMs >= reportEveryMs) ReportActivity(); // [idle-warning]
                else if (!reporting.IsSet) reporting.Set(reportedMs.Value + reportEveryMs.Value - nowMs); // [activity-spacing]
            });
        }

        /// <summary>Gives the seat back and ends: when the broker confirms it, or after two seconds.</summary>
        public Task ReleaseAsync()
        {
            Task done = Task.CompletedTask;
            loop.Invoke(() => done = Release());
            return done;
        }

        /// <summary>Leaves, and the seat stays with this session until its TTL ends.</summary>
        public Task DisconnectAsync()
        {
            Task gone = Task.CompletedTask;
            loop.Invoke(() =>
            {
                if (IsOver()) return;
                hasLeft = true;
                gone = Finish(SeatState.Closed, Left, "disconnected");
            });
            return gone;
        }

        /// <summary>Disconnects, and ends the thread of this client. Nothing else may be called afterwards.</summary>
        public void Dispose()
        {
            DisconnectAsync();
            loop.End();
        }

        private void TakeOverNow() // [takeover-by-person]
        {
            if (releasing != null || dialling == ConflictPolicy.Takeover) return;
            hasLeft = false;
            if (Claim(false)) return;
            Dial(ConflictPolicy.Takeover);
            Become(SeatState.Connecting);
        }

        /// <summary>
        /// Asks for the seat on the connection that waits with a conflict. False where there is none. One question at a time: the
        /// answer is dated from it. A click that comes meanwhile follows the answer. [one-takeover]
        /// </summary>
        private bool Claim(bool ifFree)
        {
            if (releasing != null || state != SeatState.Conflict || link == null) return false;
            if (seen.ClaimIsIfFree != null)
            {
                seen.WantsSeat |= seen.ClaimIsIfFree.Value && !ifFree;
                return true;
            }
            // The grant after a yes may be under way already. [ask-undated]
            if (!seen.IsAsking) lease.Asked();
            var takeover = new Fields { { "type", "takeover" } };
            if (ifFree) takeover["ifFree"] = true;
            if (!Send(takeover)) return false;
            seen.ClaimIsIfFree = ifFree;
            seen.WantsSeat = false;
            return true;
        }

        private Task Release() // [release]
        {
            if (releasing != null) return releasing.Task;
            if (IsOver()) return Task.CompletedTask;
            hasLeft = true;
            ClearLease();
            // Without a connection there is nobody to give the seat to: it ends with its TTL.
            if (state == SeatState.Conflict || !Send(new Fields { { "type", "release" } }))
                return Finish(SeatState.Closed, Released, "released");
            // What waits for it must not run in the thread of the loop.
            releasing = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            giving.Set(ReleaseTimeoutMs);
            return releasing.Task;
        }

        // ---- Dialling, and what the end of a connection means

        private void Dial(ConflictPolicy policy)
        {
            Stop(Left);
            dialling = policy;
            var begun = attempt;
            FetchToken(need, (token, fault) =>
            {
                if (begun != attempt) return;
                if (token != null)
                {
                    ConnectWith(token, policy);
                    return;
                }
                seen = new Seen();
                var cause = new SeatCause(CauseKind.Token, "There is no token for the broker: " + fault);
                Lost(WebSocketLink.NoCloseFrame, "no token", cause); // [token-failure]
            });
        }

        /// <summary>Ends the connection, the attempt and the waits, and ignores what still comes of them.</summary>
        private Task Stop(int code)
        {
            attempt++;
            retrying.Cancel();
            var gone = link == null ? Task.CompletedTask : link.Drop(code);
            ForgetConnection();
            return gone;
        }

        private void ForgetConnection()
        {
            dialling = null;
            link = null;
            answering.Cancel();
            refreshing.Cancel();
            isRefreshing = false;
            beatDueMs = Never;
            waitsInConflict = false;
            uselessSinceMs = null;
            StopReports();
            lease.Disconnected();
        }

        private void ConnectWith(string token, ConflictPolicy policy)
        {
            seen = new Seen();
            var dialled = new WebSocketLink(url, options);
            // What comes of a connection that was replaced counts for nothing.
            Action<Action> ifCurrent = act => loop.Post(() => { if (link == dialled) act(); });
            dialled.Opened = () => ifCurrent(() =>
            {
                seen.WasOpen = true;
                lease.Connected();
                Send(Hello(token, policy)); // [hello-first]
            });
            dialled.Received = text => ifCurrent(() => Receive(text));
            dialled.Pinged = () => ifCurrent(() =>
            {
                if (waitsInConflict) ExpectBeat("ping", new Fields()); // [conflict-silence]
            });
            dialled.Ended = (code, reason, cause) => ifCurrent(() => Lost(code, reason, cause));
            link = dialled;
            answering.Set(options.ConnectTimeoutMs);
            dialled.Open();
            Look();
        }

        private Fields Hello(string token, ConflictPolicy policy)
        {
            var machine = new Fields { { "id", options.Machine.Id } };
            if (!string.IsNullOrEmpty(options.Machine.Name)) machine["name"] = options.Machine.Name;
            if (!string.IsNullOrEmpty(options.Machine.Os)) machine["os"] = options.Machine.Os;
            if (!string.IsNullOrEmpty(options.Machine.Kind)) machine["kind"] = options.Machine.Kind;
            var hello = new Fields
            {
                { "type", "hello" },
                { "machine", machine },
                { "instance", instance }, // [hello-instance]
                { "attempt", ++hellos }, // [attempt-grows]
                { "onConflict", policy.ToString().ToLowerInvariant() },
                { "token", token },
            };
            var resumed = session;
            if (resumed != null) // [resume-latest]
                hello["resume"] = new Fields { { "sessionId", resumed.Id }, { "epoch", resumed.Epoch } };
            if (!string.IsNullOrEmpty(options.Program))
                hello["client"] = new Fields { { "name", options.Program }, { "version", options.ProgramVersion ?? "" } };
            if (options.Asks) hello["asks"] = true; // [asks-told]
            if (IdleMs() is long idleMs) hello["idleMs"] = Math.Max(0, idleMs); // [idle-hello]
            return hello;
        }

        /// <summary>A fault of the program must not keep it from its seat.</summary>
        private long? IdleMs()
        {
            try
            {
                return options.IdleMs?.Invoke();
            }
            catch (Exception fault)
            {
                Trace.TraceError("IdleMs of SeatClient failed: " + fault);
                return null;
            }
        }

        /// <summary>The connection counts as lost, whether it closes or not.</summary>
        private void GiveUp(SeatCause cause)
        {
            if (link == null) return;
            link.Drop(Left); // [no-wait-for-close]
            Lost(WebSocketLink.NoCloseFrame, "", cause);
        }

        /// <summary>The connection ended, or an attempt came to nothing.</summary>
        private void Lost(int code, string reason, SeatCause cause)
        {
            ForgetConnection();
            // Told once, and not again at each attempt that fails in the same way.
            var fault = cause.Kind + " " + cause.Status;
            if (!seen.WasOpen && cause.Kind != CauseKind.Token && fault != toldFault)
            {
                toldFault = fault;
                var told = new Fault { Code = "connection_failed", Message = cause.Message, RetryAfterMs = cause.RetryAfterMs };
                Tell(() => Error?.Invoke(told));
            }
            var ending = EndingOf(code, reason, cause);
            if (ending != null) Finish(ending.Value, code, reason, cause);
            else Redial(code, cause);
            Look();
        }

        /// <summary>Null where the connection is to be replaced.</summary>
        private SeatState? EndingOf(int code, string reason, SeatCause cause)
        {
            if (releasing != null) return SeatState.Closed;
            var isFinal = Ends.IsFinal(code);
            if (seen.EvictedReason != null && (isFinal || Ends.EndsForGood(seen.EvictedReason))) return SeatState.Evicted;
            // [handshake-final] [handshake-others-retry]
            if (isFinal || Ends.IsFinalStatus(cause.Status)) return SeatState.Denied;
            var isGivenBack = reason == "released" || reason == "left";
            if (code == Released && isGivenBack) return SeatState.Closed; // [close-1000]
            return null; // [other-codes-retry]
        }

        /// <summary>Dials by itself after a wait.</summary>
        private void Redial(int code, SeatCause cause)
        {
            var askedMs = cause.RetryAfterMs ?? seen.RetryAfterMs; // [handshake-retry-after]
            var spreadMs = seen.DrainWithinMs == null
                ? JitterMs(failures)
                : (long)(Chance.Fraction() * Math.Min(seen.DrainWithinMs.Value, options.LongestWaitMs)); // [drain-spread]
            // Added: those who were told the same wait must not come back in step.
            var inMs = (askedMs ?? 0) + spreadMs; // [retry-after-ms]
            failures++;
            isWaitAsked = askedMs != null || seen.DrainWithinMs != null;
            if (code == 4001 || cause.Status == 401) need = TokenNeed.TokenExpired; // [new-token] [handshake-401]
            if (code == 4002) need = TokenNeed.TokenNotYetAccepted;
            retrying.Set(inMs);
            Become(SeatState.Reconnecting);
            Tell(() => Reconnecting?.Invoke(new Reconnect { InMs = inMs, Code = code, Cause = cause }));
        }

        private Task Finish(SeatState ending, int code, string reason, SeatCause cause = null)
        {
            var given = releasing;
            releasing = null;
            giving.Cancel();
            var message = seen.ErrorMessage ?? cause?.Message;
            var gone = Stop(code == Released ? Released : Left);
            session = null;
            ClearLease();
            Become(ending);
            if (ending == SeatState.Denied)
            {
                var told = cause?.Kind == CauseKind.Status ? "handshake_refused" : reason;
                Tell(() => Denied?.Invoke(new Denial { Code = code, Reason = told, Message = message }));
            }
            Tell(() => Closed?.Invoke(new Ending { Code = code, Reason = reason }));
            given?.SetResult(true);
            return gone;
        }

        /// <summary>Full jitter: over the whole time, so that thousands that lost one node do not come back together.</summary>
        private long JitterMs(int failures)
        {
            var widestMs = Math.Min(options.LongestWaitMs, options.FirstWaitMs * Math.Pow(2, failures));
            return (long)(Chance.Fraction() * widestMs); // [backoff-jitter]
        }

        // ---- What the broker says

        private void Receive(string text)
        {
            var message = Json.Read(text) as Fields; // Null for what is no object. [ignore-unreadable]
            if (message == null || !message.IsUsable()) return;
            var type = message.Text("type");
            ExpectBeat(type, message);
            // A renewal of a grant before the latest one is no news.
            var isOutdated = type == "lease" && (session == null || message.Number("epoch") < session.Epoch);
            var counts = releasing == null && !isOutdated;
            var lateMs = lease.Heard(type, message, counts);
            if (type == "takeover_requested") AskedBy(message, lateMs);
            if (type == "idle_warning") WarnedOfIdleness(Math.Max(0, message.Number("inMs").Value - lateMs));
            if (counts || type != "lease") ActOn(type, message);
            Look();
        }

        private void ActOn(string type, Fields message)
        {
            switch (type)
            {
                case "welcome":
                    WelcomedBy(message);
                    break;
                case "lease":
                    RenewedTo(message.Number("epoch") ?? 0);
                    break;
                case "evicted":
                    EvictedBy(message);
                    break;
                case "conflict":
                    RefusedFor(message);
                    break;
                case "error":
                    RefusedBy(message);
                    break;
                case "token_expiring":
                    RefreshToken(TokenNeed.TokenExpiring, refreshNotBeforeMs - Clocks.MonotonicMs()); // [refresh]
                    break;
                case "ask_refused":
                    seen.IsAsking = false;
                    Tell(() => AskRefused?.Invoke()); // [ask-refused]
                    break;
                case "takeover_withdrawn":
                    Tell(() => TakeoverWithdrawn?.Invoke());
                    break;
                case "seat_free":
                    if (state == SeatState.Conflict) Tell(() => SeatFree?.Invoke());
                    break;
                case "draining":
                    seen.DrainWithinMs = message.Number("reconnectWithinMs");
                    break;
                case "jeopardy":
                    if (state == SeatState.Active) Become(SeatState.Jeopardy);
                    Tell(() => Jeopardy?.Invoke(message.Number("graceMs") ?? 0));
                    break;
                case "recovered":
                    if (state == SeatState.Jeopardy) Become(SeatState.Active);
                    Tell(() => Recovered?.Invoke());
                    break;
            }
        }

        /// <summary>When the next sign of life is due. Nothing else shows that a connection is half open.</summary>
        private void ExpectBeat(string type, Fields message)
        {
            if (type == "welcome")
            {
                renewEveryMs = message.Number("renewEveryMs") ?? renewEveryMs;
                waitsInConflict = false;
            }
            var patienceMs = Math.Max(LeastPatienceMs, renewEveryMs * 5 / 2); // [silence]
            var nowMs = Clocks.MonotonicMs();
            if (type == "welcome" || type == "lease" || type == "ping") beatDueMs = nowMs + patienceMs;
            if (type == "jeopardy") beatDueMs = nowMs + (message.Number("graceMs") ?? 0); // [jeopardy-wait]
            if (type == "evicted") beatDueMs = nowMs + CloseMs;
            if (type == "conflict")
            {
                beatDueMs = Never;
                waitsInConflict = true;
            }
            if (type == "welcome" || type == "conflict") answering.Cancel();
        }

        private void Answered()
        {
            dialling = null;
            need = TokenNeed.Connect;
            toldFault = null;
        }

        private void WelcomedBy(Fields message)
        {
            Answered();
            session = new Session(message.Text("sessionId"), message.Number("epoch") ?? 0); // [resumed-false]
            // The release was sent behind the hello: the broker gives the seat back right after this grant.
            if (releasing != null) return;
            // A program that does not tell is not asked. [idle-untold]
            StopReports();
            reportEveryMs = options.IdleMs == null ? null : message.Object("idle").Number("reportEveryMs");
            isHeld = true;
            Become(SeatState.Active);
            var grant = new Grant
            {
                SessionId = session.Id,
                Epoch = session.Epoch,
                Resumed = message.Flag("resumed"),
                Displaced = message.Object("displaced").Object("machine").Text("name"),
            };
            Tell(() => Welcomed?.Invoke(grant));
        }

        private void RenewedTo(long epoch)
        {
            session = new Session(session.Id, epoch);
            // A message that lay unread is no news of the seat, and no sign that the connection is well.
            if (!lease.Holds()) return;
            if (!lease.MustResume())
            {
                failures = 0; // [backoff-reset]
                seen.ForgetError();
            }
            isHeld = true;
            var renewed = new Lease { Epoch = epoch, TtlMs = lease.LeftMs() ?? 0 };
            Tell(() => LeaseRenewed?.Invoke(renewed));
        }

        private void EvictedBy(Fields message) // [evicted-at-once] [evicted-first]
        {
            var eviction = new Eviction
            {
                Reason = message.Text("reason"),
                By = message.Object("by").Object("machine").Text("name"),
                AtMs = message.Number("at") ?? 0,
                Epoch = message.Number("epoch") ?? 0,
            };
            seen.EvictedReason = eviction.Reason;
            if (Ends.EndsForGood(eviction.Reason)) session = null;
            ClearLease();
            Become(SeatState.Evicted);
            Tell(() => Evicted?.Invoke(eviction));
        }

        /// <summary>Another machine has the seat. The connection stays open, as a person may choose to take over.</summary>
        private void RefusedFor(Fields message) // [conflict-wait]
        {
            var holder = message.Object("holder");
            Answered();
            session = null; // [conflict-lost]
            ClearLease();
            Become(SeatState.Conflict);
            seen.ForgetError();
            seen.ClaimIsIfFree = null;
            seen.IsAsking = message.Flag("asking");
            if (seen.WantsSeat) Claim(false);
            var told = new Holder
            {
                Name = holder.Object("machine").Text("name"),
                SinceMs = holder.Number("since") ?? 0,
                IsSameMachine = holder.Flag("sameMachine"),
                IsAsking = seen.IsAsking,
                WaitMs = message.Number("waitMs"),
            };
            Tell(() => Conflict?.Invoke(told));
        }

        private void RefusedBy(Fields message)
        {
            var fault = new Fault
            {
                Code = message.Text("code"),
                Message = message.Text("message"),
                RetryAfterMs = message.Number("retryAfterMs"),
            };
            seen.ErrorMessage = fault.Message;
            seen.ClaimIsIfFree = null;
            seen.WantsSeat = false;
            // Nobody closes for a refresh that came too early: the session goes on. [refresh-not-yet]
            if (fault.RetryAfterMs != null && fault.Code == "token_not_yet_accepted" && HasSeat())
                RefreshToken(TokenNeed.TokenNotYetAccepted, fault.RetryAfterMs.Value + JitterMs(0));
            else if (fault.RetryAfterMs != null)
                seen.RetryAfterMs = fault.RetryAfterMs;
            Tell(() => Error?.Invoke(fault));
        }

        /// <summary>The seat stays here until evicted, whatever is answered [ask-keeps-seat].</summary>
        private void AskedBy(Fields message, long lateMs)
        {
            var request = new Request
            {
                By = message.Object("by").Object("machine").Text("name"),
                AnswerWithinMs = Math.Max(0, message.Number("answerWithinMs").Value - lateMs),
            };
            if (HasSeat()) Tell(() => TakeoverRequested?.Invoke(request));
        }

        private void WarnedOfIdleness(long inMs)
        {
            isIdleWarned = true;
            if (reporting.IsSet) ReportActivity();
            Tell(() => IdleWarning?.Invoke(inMs));
        }

        private void ReportActivity()
        {
            reporting.Cancel();
            isIdleWarned = false;
            var nowMs = Clocks.MonotonicMs();
            reportedMs = nowMs;
            Send(new Fields { { "type", "activity" }, { "idleMs", Math.Max(0, nowMs - activeMs) } }); // [activity-latest]
        }

        /// <summary>The seat or the connection is gone. The next hello tells how things stand.</summary>
        private void StopReports()
        {
            reporting.Cancel();
            reportEveryMs = null;
            isIdleWarned = false;
        }

        // ---- Tokens

        /// <summary>Calls back once, with a token or with what is wrong. To give nothing in time is to fail.</summary>
        private void FetchToken(TokenNeed why, Action<string, string> done) // [token-timeout]
        {
            var begun = attempt;
            var isSettled = false;
            Action<string, string> settle = (token, fault) =>
            {
                if (isSettled) return;
                isSettled = true;
                if (string.IsNullOrEmpty(token)) token = null;
                if (token == null && begun == attempt)
                    Tell(() => Error?.Invoke(new Fault { Code = "token_unavailable", Message = fault }));
                done(token, fault);
            };
            var cancel = new CancellationTokenSource(options.TokenTimeoutMs);
            var late = loop.Alarm(() => settle(null, "GetToken gave no token in time"));
            late.Set(options.TokenTimeoutMs);
            Task.Run(() => options.GetToken(why, cancel.Token)).ContinueWith(fetch => loop.Post(() =>
            {
                late.Cancel();
                cancel.Dispose();
                var isThere = fetch.Status == TaskStatus.RanToCompletion;
                settle(isThere ? fetch.Result : null, fetch.Exception?.GetBaseException().Message ?? "GetToken gave no token");
            }), TaskScheduler.Default);
        }

        /// <summary>Gives the broker a new token on the open connection. One refresh serves all warnings meanwhile.</summary>
        private void RefreshToken(TokenNeed why, long inMs)
        {
            if (isRefreshing) return;
            isRefreshing = true;
            refreshNeed = why;
            refreshTries = 0;
            refreshing.Set(inMs);
        }

        private void FetchRefresh()
        {
            var begun = attempt;
            var on = link;
            FetchToken(refreshNeed, (token, fault) =>
            {
                if (begun != attempt || on != link || !isRefreshing) return;
                if (token == null)
                {
                    refreshing.Set(JitterMs(refreshTries++));
                    return;
                }
                isRefreshing = false;
                refreshNotBeforeMs = Clocks.MonotonicMs() + RefreshPauseMs;
                Send(new Fields { { "type", "refresh" }, { "token", token } });
            });
        }

        // ---- The clock, and small things

        /// <summary>After each message, when something is due, and every second, as timers stand still in a sleep.</summary>
        private void Look()
        {
            var nowMs = Clocks.MonotonicMs();
            var wallMs = Clocks.WallMs();
            var hasWoken = wallMs - lookedWallMs > LookEveryMs + JumpMs;
            lookedWallMs = wallMs;
            if (isHeld && !lease.Holds())
            {
                isHeld = false;
                var expired = session;
                if (expired != null) Tell(() => LeaseExpired?.Invoke(expired.Epoch));
            }
            var isUseless = link != null && (lease.MustResume() || nowMs >= beatDueMs);
            if (!isUseless) uselessSinceMs = null;
            else if (uselessSinceMs == null) uselessSinceMs = nowMs;
            else if (nowMs - uselessSinceMs >= ReadMs)
            {
                GiveUp(new SeatCause(CauseKind.Silence, "The broker has fallen silent."));
                return;
            }
            // The computer is back: what is left of the wait would help nobody.
            if (hasWoken && retrying.IsSet && !isWaitAsked) Dial(ConflictPolicy.Deny);
            long nextMs = uselessSinceMs == null ? LookEveryMs : ReadMs;
            if (isHeld) nextMs = Math.Min(nextMs, lease.LeftMs() ?? LookEveryMs);
            if (link != null && uselessSinceMs == null && beatDueMs != Never) nextMs = Math.Min(nextMs, beatDueMs - nowMs);
            if (link != null || isHeld || retrying.IsSet) looking.Set(nextMs);
        }

        /// <summary>The lease is gone, and what is told is something else than its end.</summary>
        private void ClearLease()
        {
            isHeld = false;
            StopReports();
            lease.Clear();
        }

        private bool HasSeat() => state == SeatState.Active || state == SeatState.Jeopardy;

        private bool IsOver() =>
            link == null && dialling == null &&
            (state == SeatState.Closed || state == SeatState.Evicted || state == SeatState.Denied);

        /// <summary>False where no connection is open. Nothing goes out before hello.</summary>
        private bool Send(Fields message) => link != null && seen.WasOpen && link.Send(Json.Write(message));

        private void Become(SeatState next)
        {
            if (next == state) return;
            state = next;
            Tell(() => StateChanged?.Invoke(next));
        }

        /// <summary>A listener that throws breaks nothing here.</summary>
        private void Tell(Action raise)
        {
            Action safely = () =>
            {
                try
                {
                    raise();
                }
                catch (Exception fault)
                {
                    Trace.TraceError("A listener of SeatClient failed: " + fault);
                }
            };
            if (options.Context == null) listeners.Run(safely);
            else options.Context.Post(_ => safely(), null);
        }

        /// <summary>The address to dial.</summary>
        private static Uri SocketUrl(Uri given)
        {
            if (given == null || !given.IsAbsoluteUri) throw new ArgumentException("Url must be like wss://seats.example.com");
            var isSecure = given.Scheme == "wss" || given.Scheme == "https";
            if (!isSecure && given.Scheme != "ws" && given.Scheme != "http")
                throw new ArgumentException("Url must begin with wss:// or ws://");
            if (given.Fragment != "") throw new ArgumentException("Url must be without a fragment (#)");
            var query = Uri.UnescapeDataString(given.Query);
            if (Regex.IsMatch(query, "[?&]((access_?)?token|jwt)(=|&|$)", RegexOptions.IgnoreCase)) // [token-not-in-url]
                throw new ArgumentException("Url must be without a token: GetToken gives it");
            var port = given.IsDefaultPort || given.Port < 0 ? (isSecure ? 443 : 80) : given.Port;
            var path = given.AbsolutePath == "/" ? "/v1/connect" : given.AbsolutePath;
            return new UriBuilder(isSecure ? "wss" : "ws", given.Host, port, path, given.Query).Uri;
        }
    }

    /// <summary>How sessions end, by the tables of PROTOCOL.md.</summary>
    internal static class Ends
    {
        /// <summary>Reasons after which a client comes back. All others are final.</summary>
        private static readonly HashSet<string> Passing = new HashSet<string>
        {
            "released", "protocol_error", "binary_not_supported", "draining", "overloaded", "store_unavailable", "token_expired",
            "token_not_yet_accepted", "slow_consumer", "lease_lost", "no_pong", "hello_timeout", "stale_attempt", "rate_limited",
        };

        /// <summary>Sentences for people about a final close. Translate them, or show your own.</summary>
        private static readonly Dictionary<string, string> Sentences = new Dictionary<string, string>
        {
            { "unauthorized", "The token is missing or not accepted." },
            { "machine_not_allowed", "The org does not allow this machine." },
            { "taken_over", "Another machine of the same user took the seat." },
            { "superseded", "Another window on this computer took the seat." },
            { "evicted_by_admin", "An administrator ended the session." },
            { "license_suspended", "The license is suspended." },
            { "license_revoked", "The license was revoked." },
            { "license_expired", "The license has expired." },
            { "license_required", "The user has no license in this org." },
            { "quota_exhausted", "The org has issued all the licenses that it bought." },
            { "idle_timeout", "Nobody was at work for longer than the org allows." },
            { "flapping", "Two machines are fighting over the seat; a person must act." },
        };

        public static bool IsFinal(int code) => code >= 4500 && code < 5000; // [final-codes]

        /// <summary>Whether an eviction is final by its reason. An unknown one is: to stay away harms nobody.</summary>
        public static bool EndsForGood(string reason) => !Passing.Contains(reason); // [evicted-without-close]

        public static bool IsFinalStatus(int status) =>
            status == 400 || status == 403 || status == 404 || status == 405 || status == 426 || status == 431;

        public static SeatCause OfClose(int code, string reason)
        {
            string sentence;
            if (!Sentences.TryGetValue(reason, out sentence))
                sentence = $"The broker closed the connection with code {code} {reason}.";
            return new SeatCause(CauseKind.Close, sentence);
        }

        /// <summary>The cause that a refused handshake tells. Retry-After is in seconds, or a date of a proxy.</summary>
        public static SeatCause OfStatus(int status, string retryAfter)
        {
            var sentence = $"The handshake was answered with {status}.";
            if (status == 403) sentence = "The broker, or a proxy before it, does not let this program in (403).";
            if (status == 404) sentence = "There is no broker under this path (404): it ends with /v1/connect.";
            if (status == 503) sentence = "The broker takes no sessions at the moment (503).";
            int seconds;
            DateTimeOffset date;
            long? waitMs = null;
            if (int.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out seconds)) waitMs = seconds * 1000L;
            else if (DateTimeOffset.TryParse(retryAfter, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date))
                waitMs = Math.Max(0, (long)(date - DateTimeOffset.UtcNow).TotalMilliseconds);
            return new SeatCause(CauseKind.Status, sentence, status, waitMs);
        }

        public static SeatCause OfFault(Exception fault)
        {
            for (var inner = fault; inner != null; inner = inner.InnerException)
            {
                if (inner is AuthenticationException) return new SeatCause(CauseKind.Tls, inner.GetBaseException().Message);
                var code = (inner as SocketException)?.SocketErrorCode;
                if (code == SocketError.ConnectionRefused) return new SeatCause(CauseKind.Refused, inner.Message);
                if (code == SocketError.HostNotFound || code == SocketError.NoData || code == SocketError.TryAgain)
                    return new SeatCause(CauseKind.HostNotFound, inner.Message);
            }
            return new SeatCause(CauseKind.Network, fault.Message);
        }
    }

    /// <summary>Until when the seat may be counted on: PROTOCOL.md, "The age of a lease". It has no timers.</summary>
    internal sealed class LeaseClock
    {
        private const long SleptMs = 2000;

        private readonly object gate = new object();
        private long lookedMs = Clocks.MonotonicMs();
        private long lookedWallMs = Clocks.WallMs();
        private long? untilMs;

        // Of the open connection.
        private bool isConnected;
        /// <summary>When the question was sent that is not answered yet.</summary>
        private long? askedMs;
        /// <summary>The latest moment at which the node can have begun to count elapsedMs.</summary>
        private long baseMs;
        private long heardMs;
        private long? ttlMs;
        private long graceUntilMs;
        private bool isDoubted;

        public void Connected()
        {
            lock (gate)
            {
                var nowMs = Look();
                isConnected = true;
                askedMs = nowMs;
                baseMs = heardMs = graceUntilMs = nowMs;
                ttlMs = null;
                isDoubted = false;
            }
        }

        public void Asked()
        {
            lock (gate)
            {
                askedMs = Look();
                isDoubted = false;
            }
        }

        public void Disconnected()
        {
            lock (gate)
            {
                Look();
                isConnected = false; // The lease outlives the connection. [lease-outlives]
            }
        }

        /// <summary>Gives how long the message was under way.</summary>
        public long Heard(string type, Fields message, bool counts)
        {
            lock (gate)
            {
                var nowMs = Look();
                if (!isConnected) return 0;
                var sentMs = Dated(type, message, nowMs);
                if (counts && (type == "welcome" || type == "lease"))
                {
                    ttlMs = message.Number("ttlMs") ?? 0;
                    graceUntilMs = nowMs;
                    // The newest decides, also when it is less.
                    if (!isDoubted) untilMs = sentMs + ttlMs; // [lease-newest]
                }
                if (type == "jeopardy") graceUntilMs = sentMs + (message.Number("graceMs") ?? 0); // [jeopardy-until]
                if (ttlMs != null && nowMs - sentMs > ttlMs / 3) isDoubted = true; // [lease-behind]
                return nowMs - sentMs;
            }
        }

        public void Clear()
        {
            lock (gate) untilMs = ttlMs = null;
        }

        public bool Holds()
        {
            lock (gate)
            {
                var nowMs = Look();
                return untilMs != null && nowMs < untilMs; // [lease-until]
            }
        }

        /// <summary>Negative when the lease has passed, null where there is none.</summary>
        public long? LeftMs()
        {
            lock (gate)
            {
                var nowMs = Look();
                return untilMs - nowMs;
            }
        }

        /// <summary>Whether the session has to be resumed on another connection.</summary>
        public bool MustResume()
        {
            lock (gate)
            {
                var nowMs = Look();
                if (!isConnected || ttlMs == null) return false;
                // In jeopardy the lease passes without that: the node tries on for as long as it said.
                var hasPassed = (untilMs == null || nowMs >= untilMs) && nowMs >= graceUntilMs; // [lease-passed]
                return isDoubted || hasPassed;
            }
        }

        /// <summary>When the node wrote a message, at the latest, on this clock.</summary>
        private long Dated(string type, Fields message, long nowMs)
        {
            var isAnswer = type == "welcome" || type == "conflict";
            var askedAtMs = isAnswer ? askedMs : null;
            if (isAnswer) askedMs = null;
            var elapsedMs = message.Number("elapsedMs");
            if (elapsedMs == null) return nowMs; // An older broker: it counts from receipt. [lease-legacy]
            // The node's clock may run a little slower than ours: by a thousandth, and 0.1 s at most each time.
            var slewMs = Math.Min((nowMs - heardMs) / 1000, 100);
            baseMs = askedAtMs != null // [lease-base]
                ? askedAtMs.Value - elapsedMs.Value
                : Math.Min(baseMs + slewMs, nowMs - elapsedMs.Value);
            heardMs = nowMs;
            return baseMs + elapsedMs.Value;
        }

        /// <summary>
        /// Reads the clocks. On Linux and macOS Stopwatch stands still while the computer sleeps, so a jump of the wall clock
        /// ends what was counted on. The wall clock measures nothing else, as anybody may set it. [lease-clock] [lease-no-wall]
        /// </summary>
        private long Look()
        {
            var nowMs = Clocks.MonotonicMs();
            var wallMs = Clocks.WallMs();
            if (wallMs - lookedWallMs - (nowMs - lookedMs) > SleptMs)
            {
                if (untilMs > nowMs) untilMs = nowMs;
                isDoubted = true;
            }
            lookedMs = nowMs;
            lookedWallMs = wallMs;
            return nowMs;
        }
    }

    internal static class Clocks
    {
        public static long MonotonicMs() => (long)(Stopwatch.GetTimestamp() * (1000.0 / Stopwatch.Frequency));
        public static long WallMs() => DateTime.UtcNow.Ticks / TimeSpan.TicksPerMillisecond;
    }

    internal static class Chance
    {
        private static readonly RandomNumberGenerator Generator = RandomNumberGenerator.Create();

        public static byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            lock (Generator) Generator.GetBytes(bytes);
            return bytes;
        }

        public static string Hex(int bytes) => string.Concat(Bytes(bytes).Select(one => one.ToString("x2")));

        /// <summary>From 0, and below 1.</summary>
        public static double Fraction() => BitConverter.ToUInt32(Bytes(4), 0) / 4294967296.0;
    }

    /// <summary>Runs actions one after another in the thread pool.</summary>
    internal sealed class Serial
    {
        private readonly object gate = new object();
        private Task last = Task.CompletedTask;

        public Task Run(Action action)
        {
            lock (gate) return last = last.ContinueWith(_ => action(), TaskScheduler.Default);
        }
    }

    /// <summary>One thread with timers. It keeps no process alive.</summary>
    internal sealed class Loop
    {
        private readonly object gate = new object();
        private readonly Queue<Action> posted = new Queue<Action>();
        private readonly List<Alarm> alarms = new List<Alarm>();
        private readonly Thread thread;
        private bool hasEnded;

        public Loop()
        {
            thread = new Thread(Run) { IsBackground = true, Name = "SeatClient" };
            thread.Start();
        }

        public Alarm Alarm(Action act) => new Alarm(this, act);

        public void Post(Action action)
        {
            lock (gate)
            {
                posted.Enqueue(action);
                Monitor.PulseAll(gate);
            }
        }

        /// <summary>Runs the action and waits for its end. The loop itself waits for nobody, so this takes no time.</summary>
        public void Invoke(Action action)
        {
            if (Thread.CurrentThread == thread)
            {
                action();
                return;
            }
            var isDone = false;
            Post(() =>
            {
                try
                {
                    action();
                }
                finally
                {
                    lock (gate)
                    {
                        isDone = true;
                        Monitor.PulseAll(gate);
                    }
                }
            });
            lock (gate)
                while (!isDone && !hasEnded) Monitor.Wait(gate);
        }

        /// <summary>What was posted before is still done.</summary>
        public void End() => Post(() =>
        {
            lock (gate)
            {
                hasEnded = true;
                Monitor.PulseAll(gate);
            }
        });

        /// <summary>Null cancels.</summary>
        internal void Set(Alarm alarm, long? dueMs)
        {
            lock (gate)
            {
                alarms.Remove(alarm);
                alarm.DueMs = dueMs;
                if (dueMs != null) alarms.Add(alarm);
                Monitor.PulseAll(gate);
            }
        }

        private void Run()
        {
            for (var next = Next(); next != null; next = Next())
            {
                try
                {
                    next();
                }
                catch (Exception fault)
                {
                    Trace.TraceError("SeatClient: " + fault);
                }
            }
        }

        private Action Next()
        {
            lock (gate)
            {
                while (!hasEnded)
                {
                    if (posted.Count > 0) return posted.Dequeue();
                    var due = alarms.OrderBy(alarm => alarm.DueMs).FirstOrDefault();
                    var inMs = due == null ? Timeout.Infinite : Math.Min(int.MaxValue, due.DueMs.Value - Clocks.MonotonicMs());
                    if (due != null && inMs <= 0)
                    {
                        alarms.Remove(due);
                        due.DueMs = null;
                        return due.Act;
                    }
                    Monitor.Wait(gate, (int)inMs);
                }
                return null;
            }
        }
    }

    internal sealed class Alarm
    {
        private readonly Loop loop;
        internal readonly Action Act;
        internal long? DueMs;

        internal Alarm(Loop loop, Action act)
        {
            this.loop = loop;
            Act = act;
        }

        public bool IsSet => DueMs != null;
        public void Set(long inMs) => loop.Set(this, Clocks.MonotonicMs() + Math.Max(0, inMs));
        public void Cancel() => loop.Set(this, null);
    }

    /// <summary>One WebSocket (RFC 6455), from dialling to its end. A thread of its own reads; the thread pool writes.</summary>
    internal sealed class WebSocketLink
    {
        /// <summary>The code of a connection that ended without a close frame.</summary>
        public const int NoCloseFrame = 1006;
        private const int NoCode = 1005;
        private const int MostHeaderBytes = 16384;
        private const int MostMessageBytes = 1 << 20;
        private const int SendTimeoutMs = 2000;

        /// <summary>All four are called from the thread that reads.</summary>
        public Action Opened;
        public Action<string> Received;
        public Action Pinged;
        public Action<int, string, SeatCause> Ended;

        private readonly Uri url;
        private readonly SeatOptions options;
        private readonly Serial writer = new Serial();
        private readonly object gate = new object();
        private Socket socket;
        private Stream stream;
        private bool isOpen;
        private bool isDropped;
        private bool sentClose;

        public WebSocketLink(Uri url, SeatOptions options)
        {
            this.url = url;
            this.options = options;
        }

        public void Open() => new Thread(Run) { IsBackground = true, Name = "SeatClient socket" }.Start();

        /// <summary>False where the connection is not open: the message is then lost.</summary>
        public bool Send(string text)
        {
            lock (gate)
            {
                if (!isOpen || sentClose) return false;
                SendFrame(0x1, Encoding.UTF8.GetBytes(text));
                return true;
            }
        }

        /// <summary>Closes, and waits for nobody. Settles when the close is written, or cannot be.</summary>
        public Task Drop(int code)
        {
            lock (gate)
            {
                isDropped = true;
                if (isOpen && !sentClose) SendFrame(0x8, new[] { (byte)(code >> 8), (byte)code });
                isOpen = false;
                return writer.Run(Hang);
            }
        }

        private void Run()
        {
            SeatCause cause;
            var code = NoCloseFrame;
            var reason = "";
            try
            {
                stream = Secured(Dialled());
                var reader = new BufferedStream(stream);
                cause = Handshake(reader);
                if (cause == null)
                {
                    lock (gate) isOpen = !isDropped;
                    Opened();
                    var close = ReadToClose(reader);
                    code = close.Length < 2 ? NoCode : close[0] << 8 | close[1];
                    reason = close.Length < 2 ? "" : Encoding.UTF8.GetString(close, 2, close.Length - 2);
                    cause = Ends.OfClose(code, reason);
                }
            }
            catch (Exception fault) // Whatever it is, the connection is over.
            {
                cause = Ends.OfFault(fault);
            }
            lock (gate)
            {
                if (isOpen && !sentClose && code != NoCloseFrame)
                    SendFrame(0x8, code == NoCode ? new byte[0] : new[] { (byte)(code >> 8), (byte)code });
                isOpen = false;
                writer.Run(Hang);
            }
            Ended(code, reason, cause);
        }

        private void Hang()
        {
            Socket ended;
            lock (gate) ended = socket;
            ended?.Close();
        }

        // ---- Dialling

        /// <summary>A connection to the broker, or to the proxy on the way.</summary>
        private Stream Dialled()
        {
            var target = new UriBuilder(url.Scheme == "wss" ? "https" : "http", url.Host, url.Port).Uri;
            var proxy = options.Proxy == null || options.Proxy.IsBypassed(target) ? null : options.Proxy.GetProxy(target);
            if (proxy == null || proxy.Equals(target)) return Connected(url.DnsSafeHost, url.Port);
            var way = Connected(proxy.DnsSafeHost, proxy.Port);
            var authority = $"{url.Host}:{url.Port}";
            var credentials = options.Proxy.Credentials?.GetCredential(proxy, "Basic");
            var secret = Encoding.UTF8.GetBytes($"{credentials?.UserName}:{credentials?.Password}");
            var hasSecret = !string.IsNullOrEmpty(credentials?.UserName);
            var basic = hasSecret ? $"Proxy-Authorization: Basic {Convert.ToBase64String(secret)}\r\n" : "";
            Write(way, $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{basic}\r\n");
            Dictionary<string, string> headers;
            var status = ReadHead(way, out headers);
            if (status != 200) throw new IOException($"The proxy {proxy.Authority} does not lead to the broker ({status}).");
            return way;
        }

        /// <summary>Tries each address of the host: one family of addresses may lead nowhere.</summary>
        private Stream Connected(string host, int port)
        {
            var addresses = Dns.GetHostAddresses(host);
            var timeoutMs = options.ConnectTimeoutMs / (addresses.Length + 1);
            Exception fault = new SocketException((int)SocketError.HostNotFound);
            foreach (var address in addresses)
            {
                var tried = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                tried.NoDelay = true;
                tried.SendTimeout = SendTimeoutMs;
                lock (gate)
                {
                    if (isDropped) break;
                    socket = tried;
                }
                try
                {
                    var pending = tried.BeginConnect(address, port, null, null);
                    if (!pending.AsyncWaitHandle.WaitOne(timeoutMs)) throw new SocketException((int)SocketError.TimedOut);
                    tried.EndConnect(pending);
                    return new NetworkStream(tried);
                }
                catch (Exception one) when (one is SocketException || one is ObjectDisposedException)
                {
                    fault = one;
                    tried.Close();
                }
            }
            throw fault;
        }

        private Stream Secured(Stream plain)
        {
            if (url.Scheme != "wss") return plain;
            var secured = new SslStream(plain, false, options.ServerCertificateValidation);
            // None: the system chooses the version of TLS.
            var own = options.ClientCertificates ?? new X509CertificateCollection();
            secured.AuthenticateAsClient(url.DnsSafeHost, own, SslProtocols.None, false);
            return secured;
        }

        /// <summary>Null where the answer is the right one, else why not.</summary>
        private SeatCause Handshake(Stream reader)
        {
            var key = Convert.ToBase64String(Chance.Bytes(16));
            var host = url.IsDefaultPort || url.Port == (url.Scheme == "wss" ? 443 : 80) ? url.Host : $"{url.Host}:{url.Port}";
            Write(stream, $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
                          $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n" +
                          "Sec-WebSocket-Protocol: soleseat.v1\r\n\r\n"); // [offer-subprotocol]
            Dictionary<string, string> headers;
            var status = ReadHead(reader, out headers);
            string retryAfter, accept, subprotocol;
            headers.TryGetValue("retry-after", out retryAfter);
            if (status != 101) return Ends.OfStatus(status, retryAfter);
            headers.TryGetValue("sec-websocket-accept", out accept);
            headers.TryGetValue("sec-websocket-protocol", out subprotocol);
            using (var sha1 = SHA1.Create())
            {
                var proof = sha1.ComputeHash(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
                var isBroker = accept == Convert.ToBase64String(proof) && subprotocol == "soleseat.v1";
                return isBroker ? null : new SeatCause(CauseKind.Network, "What answered is no Soleseat broker.");
            }
        }

        /// <summary>The status and the headers of an HTTP answer, up to its empty line and no byte further.</summary>
        private static int ReadHead(Stream reader, out Dictionary<string, string> headers)
        {
            var head = new StringBuilder();
            while (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n")
            {
                var next = reader.ReadByte();
                if (next < 0 || head.Length > MostHeaderBytes)
                    throw new IOException("The connection ended before an answer came.");
                head.Append((char)next);
            }
            var lines = head.ToString().Split('\n');
            headers = new Dictionary<string, string>();
            foreach (var line in lines.Skip(1))
            {
                var colon = line.IndexOf(':');
                if (colon > 0) headers[line.Substring(0, colon).Trim().ToLowerInvariant()] = line.Substring(colon + 1).Trim();
            }
            var status = Regex.Match(lines[0], @"^HTTP/1\.\d (\d{3})");
            if (!status.Success) throw new IOException("What answered does not speak HTTP.");
            return int.Parse(status.Groups[1].Value, CultureInfo.InvariantCulture);
        }

        private static void Write(Stream to, string text)
        {
            var bytes = Encoding.ASCII.GetBytes(text);
            to.Write(bytes, 0, bytes.Length);
            to.Flush();
        }

        // ---- Frames

        /// <summary>Hands over every message, and gives the close frame.</summary>
        private byte[] ReadToClose(Stream reader)
        {
            var message = new MemoryStream();
            while (true)
            {
                var first = Exactly(reader, 2);
                var opcode = first[0] & 0x0f;
                var isFinal = (first[0] & 0x80) != 0;
                var length = LengthOf(reader, first[1] & 0x7f);
                var isControl = opcode >= 0x8;
                // No extension was agreed on, and a server does not mask.
                var isWrong = (first[0] & 0x70) != 0 || (first[1] & 0x80) != 0 || (isControl && (!isFinal || length > 125));
                if (isWrong || length + message.Length > MostMessageBytes)
                    throw new IOException("What came is no WebSocket frame.");
                var payload = Exactly(reader, (int)length);
                if (opcode == 0x8) return payload;
                if (opcode == 0x9)
                {
                    lock (gate)
                        if (isOpen && !sentClose) SendFrame(0xA, payload); // [pong]
                    Pinged();
                }
                if (isControl) continue;
                message.Write(payload, 0, payload.Length); // [fragments]
                if (!isFinal) continue;
                Received(Encoding.UTF8.GetString(message.ToArray()));
                message.SetLength(0);
            }
        }

        private static long LengthOf(Stream reader, int told)
        {
            if (told < 126) return told;
            var bytes = Exactly(reader, told == 126 ? 2 : 8);
            // Longer ones than this are refused, whatever the first bytes say.
            return bytes.Aggregate(0L, (sum, one) => Math.Min(sum, int.MaxValue) << 8 | one);
        }

        private static byte[] Exactly(Stream reader, int count)
        {
            var bytes = new byte[count];
            for (var at = 0; at < count;)
            {
                var read = reader.Read(bytes, at, count - at);
                if (read <= 0) throw new IOException("The connection broke.");
                at += read;
            }
            return bytes;
        }

        /// <summary>Under the gate, so that frames are written in the order of their calls.</summary>
        private void SendFrame(int opcode, byte[] payload)
        {
            if (opcode == 0x8) sentClose = true;
            var frame = new MemoryStream();
            frame.WriteByte((byte)(0x80 | opcode));
            var lengthBytes = payload.Length < 126 ? 0 : payload.Length < 65536 ? 2 : 8;
            frame.WriteByte((byte)(0x80 | (lengthBytes == 0 ? payload.Length : lengthBytes == 2 ? 126 : 127)));
            for (var shift = 8 * (lengthBytes - 1); shift >= 0; shift -= 8)
                frame.WriteByte((byte)((long)payload.Length >> shift));
            var mask = Chance.Bytes(4);
            frame.Write(mask, 0, 4);
            for (var at = 0; at < payload.Length; at++) frame.WriteByte((byte)(payload[at] ^ mask[at % 4]));
            var bytes = frame.ToArray();
            writer.Run(() =>
            {
                try
                {
                    stream.Write(bytes, 0, bytes.Length);
                    stream.Flush();
                }
                catch (Exception) // Whatever it is, the connection is over: the thread that reads notices.
                {
                    Hang();
                }
            });
        }
    }

    /// <summary>One JSON object. What is missing, null or of another kind counts as left out.</summary>
    internal sealed class Fields : Dictionary<string, object> // [null-left-out]
    {
        private const double MostWholeNumber = 9007199254740991;

        public string Text(string name) => Value(name) as string;
        public bool Flag(string name) => true.Equals(Value(name));
        public Fields Object(string name) => Value(name) as Fields ?? new Fields();

        /// <summary>A whole number. A double has 53 bits: all 16 digits of an epoch.</summary>
        public long? Number(string name) // [epoch-digits]
        {
            var number = Value(name) as double?;
            return number >= 0 && number <= MostWholeNumber ? (long?)number : null;
        }

        /// <summary>Whether a message has what the client acts on. One that has not is ignored, as is an unknown type.</summary>
        public bool IsUsable()
        {
            switch (Text("type"))
            {
                case "welcome":
                    return Text("sessionId") != null && Has("epoch", "ttlMs", "renewEveryMs") && HasOrLacks("elapsedMs");
                case "lease":
                    return Has("epoch", "ttlMs") && HasOrLacks("elapsedMs");
                case "evicted":
                    return Text("reason") != null;
                case "conflict":
                    return Value("holder") is Fields;
                case "jeopardy":
                    return Has("graceMs");
                case "takeover_requested":
                    return Has("answerWithinMs");
                case "idle_warning":
                    return Has("inMs");
                case "draining":
                    return Has("reconnectWithinMs");
                case "error":
                    return Text("code") != null && HasOrLacks("retryAfterMs");
                case "recovered":
                case "ask_refused":
                case "takeover_withdrawn":
                case "seat_free":
                case "token_expiring":
                    return true;
                default:
                    return false; // [ignore-unknown]
            }
        }

        private bool Has(params string[] names) => names.All(name => Number(name) != null);
        private bool HasOrLacks(string name) => Value(name) == null || Number(name) != null;

        private object Value(string name)
        {
            object value;
            return TryGetValue(name, out value) ? value : null;
        }
    }

    /// <summary>As much JSON as the protocol needs. Numbers are read as double.</summary>
    internal sealed class Json
    {
        private const int MostDepth = 32;
        private readonly string text;
        private int at;

        private Json(string text) { this.text = text; }

        /// <summary>Null for what is not JSON.</summary>
        public static object Read(string text)
        {
            var json = new Json(text);
            try
            {
                var value = json.ReadValue(0);
                return json.Peek() == '\0' ? value : null;
            }
            catch (FormatException)
            {
                return null;
            }
        }

        public static string Write(object value)
        {
            var fields = value as Fields;
            if (fields != null)
                return "{" + string.Join(",", fields.Select(field => Quoted(field.Key) + ":" + Write(field.Value))) + "}";
            if (value is bool) return (bool)value ? "true" : "false";
            var words = value as string;
            return words != null ? Quoted(words) : Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        private static string Quoted(string words)
        {
            var quoted = new StringBuilder("\"");
            foreach (var one in words)
            {
                if (one == '"' || one == '\\') quoted.Append('\\').Append(one);
                else if (one < ' ') quoted.Append("\\u").Append(((int)one).ToString("x4"));
                else quoted.Append(one);
            }
            return quoted.Append('"').ToString();
        }

        private object ReadValue(int depth)
        {
            if (depth > MostDepth) throw new FormatException();
            switch (Peek())
            {
                case '{': return ReadObject(depth);
                case '[': return ReadList(depth);
                case '"': return ReadText();
                case 't': return ReadWord("true", true);
                case 'f': return ReadWord("false", false);
                case 'n': return ReadWord("null", null);
                default: return ReadNumber();
            }
        }

        private Fields ReadObject(int depth)
        {
            var fields = new Fields();
            Expect('{');
            if (Peek() == '}') return Ended(fields);
            while (true)
            {
                Peek();
                var name = ReadText();
                Expect(':');
                fields[name] = ReadValue(depth + 1);
                if (Peek() == '}') return Ended(fields);
                Expect(',');
            }
        }

        private List<object> ReadList(int depth)
        {
            var list = new List<object>();
            Expect('[');
            if (Peek() == ']') return Ended(list);
            while (true)
            {
                list.Add(ReadValue(depth + 1));
                if (Peek() == ']') return Ended(list);
                Expect(',');
            }
        }

        private T Ended<T>(T value)
        {
            at++;
            return value;
        }

        private string ReadText()
        {
            var words = new StringBuilder();
            Expect('"');
            while (true)
            {
                var one = Take();
                if (one == '"') return words.ToString();
                words.Append(one == '\\' ? ReadEscape() : one);
            }
        }

        private char ReadEscape()
        {
            var one = Take();
            if (one == 'u')
            {
                ushort code;
                var digits = at + 4 <= text.Length ? text.Substring(at, 4) : "";
                if (!ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code))
                    throw new FormatException();
                at += 4;
                return (char)code;
            }
            var index = "\"\\/nrtbf".IndexOf(one);
            if (index < 0) throw new FormatException();
            return "\"\\/\n\r\t\b\f"[index];
        }

        private object ReadNumber()
        {
            var from = at;
            while (at < text.Length && "+-.eE0123456789".IndexOf(text[at]) >= 0) at++;
            double number;
            var digits = text.Substring(from, at - from);
            var isNumber = double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
            return isNumber ? number : throw new FormatException();
        }

        private object ReadWord(string word, object meaning)
        {
            foreach (var one in word) Expect(one);
            return meaning;
        }

        private void Expect(char one)
        {
            if (Peek() != one) throw new FormatException();
            at++;
        }

        private char Take()
        {
            if (at >= text.Length) throw new FormatException();
            return text[at++];
        }

        /// <summary>The next character that is not a blank; \0 at the end.</summary>
        private char Peek()
        {
            while (at < text.Length && " \t\r\n".IndexOf(text[at]) >= 0) at++;
            return at < text.Length ? text[at] : '\0';
        }
    }

#if SEAT_KIT_PROGRAM
    /// <summary>
    /// The program of the client kit. Environment: SEAT_URL, SEAT_TOKEN_URL, SEAT_MACHINE_ID, SEAT_MACHINE_NAME. Lines on the
    /// standard input: takeover, ask, yield MS, refuse, retry, idle MS, active, release, quit. With --machine-id APPLICATION it prints the id of this computer, and ends.
    /// </summary>
    internal static class KitProgram
    {
        private static readonly System.Net.Http.HttpClient Http = new System.Net.Http.HttpClient();
        private static readonly object Gate = new object();
        private static bool? printed;

        public static int Main(string[] arguments)
        {
            if (arguments.Length == 2 && arguments[0] == "--machine-id")
            {
                Console.WriteLine(SeatMachine.OfThisComputer(arguments[1]).Id);
                return 0;
            }
            var idle = Environment.GetEnvironmentVariable("SEAT_IDLE");
            var workedMs = Clocks.MonotonicMs() - long.Parse(idle ?? "0");
            var client = new SeatClient(new SeatOptions
            {
                Asks = Environment.GetEnvironmentVariable("SEAT_ASKS") != null,
                IdleMs = idle == null ? (Func<long>)null : () => Clocks.MonotonicMs() - Interlocked.Read(ref workedMs),
                Url = new Uri(Environment.GetEnvironmentVariable("SEAT_URL")),
                Machine = new SeatMachine
                {
                    Id = Environment.GetEnvironmentVariable("SEAT_MACHINE_ID"),
                    Name = Environment.GetEnvironmentVariable("SEAT_MACHINE_NAME"),
                },
                GetToken = FetchToken,
            });
            // Your program locks and unlocks at events, as here, or asks before it acts. The kit wants to know to a moment.
            if (Environment.GetEnvironmentVariable("SEAT_TAKES_FREE") != null) client.SeatFree += client.TakeIfFree;
            client.StateChanged += _ => Look(client);
            client.LeaseRenewed += _ => Look(client);
            client.LeaseExpired += _ => Look(client);
            new Thread(() =>
            {
                for (; ; Thread.Sleep(20)) Look(client);
            }) { IsBackground = true }.Start();
            Look(client);
            client.Start();
            for (var line = Console.ReadLine(); line != null && line != "quit"; line = Console.ReadLine())
            {
                if (line == "takeover") client.TakeOver();
                if (line == "retry") client.RetryNow();
                if (line == "ask") client.Ask();
                if (line == "refuse") client.Answer(false);
                if (line.StartsWith("yield ")) client.Answer(true, long.Parse(line.Substring(6)));
                if (line.StartsWith("idle ")) Interlocked.Exchange(ref workedMs, Clocks.MonotonicMs() - long.Parse(line.Substring(5)));
                if (line == "active")
                {
                    Interlocked.Exchange(ref workedMs, Clocks.MonotonicMs());
                    client.Activity();
                }
                if (line != "release") continue;
                client.ReleaseAsync().Wait();
                break;
            }
            client.DisconnectAsync().Wait();
            Look(client);
            return 0;
        }

        private static async Task<string> FetchToken(TokenNeed need, CancellationToken cancel)
        {
            using (var response = await Http.GetAsync(Environment.GetEnvironmentVariable("SEAT_TOKEN_URL"), cancel))
            {
                response.EnsureSuccessStatusCode();
                return (await response.Content.ReadAsStringAsync()).Trim();
            }
        }

        private static void Look(SeatClient client)
        {
            lock (Gate)
            {
                var holds = client.HoldsLease();
                if (holds == printed) return;
                printed = holds;
                Console.WriteLine(holds ? "holds true" : "holds false");
                Console.Out.Flush();
            }
        }
    }
#endif
}

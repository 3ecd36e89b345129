// A Soleseat client for Qt 5 (5.12 and later) in one file: it needs Core and Network, and no library of ours.
//
// In your program: put the first part, down to "end of seat_client.h", into a header, and the second part into a source file.
// With -DSEAT_KIT_PROGRAM it is a program of its own, the one that `soleseat client-test` judges:
//
//   moc seat_client.cpp -o seat_client.moc
//   g++ -std=c++17 -fPIC -DSEAT_KIT_PROGRAM -I. seat_client.cpp -o seat-client $(pkg-config --cflags --libs Qt5Core Qt5Network)
//   soleseat client-test -- ./seat-client
//
// Why is there no QWebSocket in it? In Qt 5 that reports 1000 for a connection that broke and for a refused handshake, and 1002
// for 1012 and 1013. It hides pings and the Retry-After of a refused handshake. A client that cannot tell these apart gives up
// when it should try again. So class WebSocketLink speaks RFC 6455 itself, over QSslSocket: TLS and proxies are those of Qt.
//
// What it does not do: it judges no tickets and takes no seat along, as Qt has no ECDSA of its own. So it sends no nonce, no ticket and no
// leave, and these rules are not about it: [nonce-fresh] [ticket-proves] [ticket-no-clock] [ticket-first] [untrusted-final]
// and these neither: [leave-left] [left-final] [ticket-shown] [ticket-once]
//
// A tag such as [reconnect-deny] names the rule of PROTOCOL.md that the line keeps.

#include <QAbstractSocket>
#include <QCryptographicHash>
#include <QDateTime>
#include <QDeadlineTimer>
#include <QHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>
#include <QMessageAuthenticationCode>
#include <QNetworkProxy>
#include <QObject>
#include <QPointer>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QSslConfiguration>
#include <QSslSocket>
#include <QSysInfo>
#include <QTimer>
#include <QUrl>
#include <QUrlQuery>
#include <QtEndian>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

// ---------------------------------------------------------------------------------------------------------------------
// seat_client.h

/** Why a connection ended, or did not come about. */
struct SeatCause {
    /** `status`, `tls`, `host_not_found`, `refused`, `timeout`, `silence`, `close`, `token` or `network`. */
    QString kind;
    /** A sentence for people. */
    QString message;
    /** The HTTP status of a refused handshake, else 0. */
    int status = 0;
    /** The wait that a refused handshake asked for. */
    std::optional<qint64> retryAfterMs;
};

struct SeatMachine {
    /** The same at every start of the program on this computer. [machine-id] */
    QString id;
    QString name;
    QString os;
    /** `physical`, `virtual` or `container`. */
    QString kind;

    /**
     * This computer. The id is the one that our libraries give for the same application: a hash, as the system's own id is not
     * for others to see. Throws std::runtime_error where the system has none.
     */
    static SeatMachine ofThisComputer(const QString &application);
};

struct SeatOptions {
    using TokenCallback = std::function<void(const QString &token, const QString &fault)>;

    /** Such as wss://seats.example.com. Without a path, /v1/connect is added. */
    QUrl url;
    SeatMachine machine;
    /**
     * Fetches a token and calls back, in the thread of the client, with the token or with what is wrong. `need` is `connect`,
     * `token_expiring`, `token_expired` or `token_not_yet_accepted`: after the last two it must be another token than before.
     */
    std::function<void(const QString &need, const TokenCallback &done)> getToken;
    /** `takeover`: to start the program takes the seat. `deny`: the program asks the person first. `ask`: the holder is asked first. */
    QString onConflict = QStringLiteral("takeover");
    /** Name and version of your program. */
    QString program;
    QString programVersion;
    /**
     * How long nobody has been at work, in milliseconds. The idle limit of the org holds only for a program that gives this; it
     * also calls `activity`.
     */
    std::function<qint64()> idleMs;
    /** The program answers `takeoverRequested`. Without it, a machine that asks gets the seat without a question. */
    bool asks = false;
    int tokenTimeoutMs = 15000;
    int connectTimeoutMs = 10000;
    int firstWaitMs = 500;
    int longestWaitMs = 30000;
    /** For an authority of your own, or a client certificate. */
    std::optional<QSslConfiguration> tls;
    /** Left out: the proxy of the application. */
    std::optional<QNetworkProxy> proxy;
};

/** Until when the seat may be counted on: PROTOCOL.md, "The age of a lease". It has no timers; the client asks. */
class LeaseClock {
public:
    /** Milliseconds on a clock that goes on while the computer sleeps, and that nobody can set. */
    static qint64 nowMs();

    void connected();
    void asked();
    void disconnected();
    /** Gives how long the message was under way. */
    qint64 heard(const QString &type, const QJsonObject &message, bool counts);
    void clear();
    bool holds() const;
    /** Negative when the lease has passed, nothing where there is none. */
    std::optional<qint64> leftMs() const;
    /** Whether the session has to be resumed on another connection. */
    bool mustResume() const;

private:
    struct Link {
        /** When the question was sent that is not answered yet. */
        std::optional<qint64> askedMs;
        /** The latest moment at which the node can have begun to count `elapsedMs`. */
        qint64 baseMs;
        qint64 heardMs;
        std::optional<qint64> ttlMs;
        qint64 graceUntilMs;
        bool isDoubted;
    };

    qint64 dated(const QString &type, const QJsonObject &message, qint64 nowMs);

    std::optional<qint64> m_untilMs;
    std::optional<Link> m_link;
};

/** One WebSocket (RFC 6455), from dialling to its end. */
class WebSocketLink : public QObject {
    Q_OBJECT
public:
    /** The code of a connection that ended without a close frame. */
    static constexpr int NoCloseFrame = 1006;

    WebSocketLink(const QUrl &url, const SeatOptions &options, QObject *parent);
    void open();
    bool isOpen() const { return m_phase == Phase::Open; }
    void send(const QJsonObject &message);
    /** Closes, and tells nothing more. Waits for nobody. */
    void drop(quint16 code);

signals:
    void opened();
    void received(const QByteArray &text);
    void pinged();
    void ended(int code, const QString &reason, const SeatCause &cause);

private:
    enum class Phase { Dialling, Open, Over };

    void sendHandshake();
    void read();
    bool readHandshake();
    bool readFrame();
    void act(int opcode, bool isFinal, const QByteArray &payload);
    void actOnClose(const QByteArray &payload);
    void sendFrame(int opcode, const QByteArray &payload);
    void socketEnded();
    void end(int code, const QString &reason, const SeatCause &cause);
    void hangUp();

    const QUrl m_url;
    const bool m_isSecure;
    QSslSocket *const m_socket;
    Phase m_phase = Phase::Dialling;
    bool m_sentClose = false;
    QByteArray m_key;
    QByteArray m_buffer;
    /** The frames so far of a message that comes in several. */
    std::optional<QByteArray> m_parts;
};

/**
 * One program's hold on its user's seat. Call it from the thread that it lives in. Its signals come from the event loop, never
 * from within a call.
 */
class SeatClient : public QObject {
    Q_OBJECT
public:
    enum class State { Connecting, Active, Jeopardy, Reconnecting, Evicted, Conflict, Denied, Closed };
    Q_ENUM(State)

    /** Throws std::invalid_argument for an address that can never be a broker's. */
    explicit SeatClient(SeatOptions options, QObject *parent = nullptr);
    ~SeatClient() override;

    /** Connects, for the first time. */
    void start();
    /** A person chose "use here". Beside `start`, only this takes the seat from another machine. */
    void takeOver();
    /** A person chose "try again": an attempt at once, which displaces nobody. */
    void retryNow();
    /** A person chose "ask for it": the holder is asked. `asked` tells that it is, then `welcomed` or `askRefused` what came of it. */
    void ask();
    /** What the person says to `takeoverRequested`: to yield, perhaps after a time in which to save, or not. */
    void answer(bool yields, qint64 needMs = 0);
    /** While a conflict waits: for a program that acts without a click, as at `seatFree`. Displaces nobody. */
    void takeIfFree();
    /** The person was at work so long ago. For every key and click: the broker is told no more often than it wants to hear it. */
    void activity(qint64 idleMs = 0);
    /** Gives the seat back and ends; `released` comes when that is done, after two seconds at most. */
    void release();
    /** Leaves, and the seat stays with this session until its TTL ends. */
    void disconnectFromBroker();

    /** Whether the program may count on the seat right now, connected or not. */
    bool holdsLease() const { return m_lease.holds(); }
    /** Has expired where there is no lease. It does not see a sleep of the computer: ask holdsLease() before you act. */
    QDeadlineTimer leaseDeadline() const;
    State state() const { return m_state; }
    QString sessionId() const { return m_session ? m_session->id : QString(); }
    /** The fencing token for your services: the higher epoch is the true owner. -1 without a session. */
    qint64 epoch() const { return m_session ? m_session->epoch : -1; }

signals:
    void stateChanged(SeatClient::State state);
    void welcomed(const QJsonObject &welcome);
    void leaseRenewed(qint64 epoch, qint64 ttlMs);
    void leaseExpired(qint64 epoch);
    void evicted(const QString &reason, const QString &byMachine, qint64 atMs, qint64 epoch);
    void conflict(const QString &holder, qint64 sinceMs, bool isSameMachine);
    /** While a conflict waits: the holder has left. Others may be told the same. */
    void seatFree();
    /** Behind `conflict`: the holder is being asked, and has so long to answer. */
    void asked(qint64 waitMs);
    /** The holder said no. The connection waits on. */
    void askRefused();
    /** Another machine asks for the seat, which stays here until `evicted`. Call `answer`. */
    void takeoverRequested(const QString &byMachine, qint64 answerWithinMs);
    void takeoverWithdrawn();
    void denied(int code, const QString &reason, const QString &message);
    void jeopardy(qint64 graceMs);
    void recovered();
    /** Nobody was at work for long: without `activity` the session ends in so many milliseconds. */
    void idleWarning(qint64 inMs);
    void reconnecting(qint64 inMs, int code, const SeatCause &cause);
    void errorOccurred(const QString &code, const QString &message, qint64 retryAfterMs);
    void closed(int code, const QString &reason);
    void released();

private:
    struct Session {
        QString id;
        qint64 epoch;
    };
    /** What was said on a connection that matters once it is closed. */
    struct Seen {
        std::optional<QString> evictedReason;
        QString errorMessage;
        std::optional<qint64> drainWithinMs;
        std::optional<qint64> retryAfterMs;
        /** A takeover is not answered yet; whether it asks for a free seat only. */
        std::optional<bool> claimIsIfFree;
        /** A person clicked meanwhile. */
        bool wantsSeat = false;
        bool isAsking = false;
        bool wasOpen = false;

        /** The session goes on: an error that came before says nothing of a close that comes later. [error-without-close] */
        void forgetError()
        {
            errorMessage.clear();
            retryAfterMs.reset();
        }
    };

    bool claim(bool ifFree);
    void dial(const QString &policy);
    void stop(quint16 code);
    void connectWith(const QString &token, const QString &policy);
    QJsonObject hello(const QString &token, const QString &policy);
    void giveUp(const SeatCause &cause);
    void lost(int code, const QString &reason, const SeatCause &cause);
    std::optional<State> endingOf(int code, const QString &reason, const SeatCause &cause) const;
    void redial(int code, const SeatCause &cause);
    void finish(State ending, int code, const QString &reason, const SeatCause &cause = {});

    void receive(const QByteArray &text);
    void tell(const QString &type, const QJsonObject &message);
    void expectBeat(const QString &type, const QJsonObject &message);
    void welcomedBy(const QJsonObject &message);
    void renewed(qint64 epoch);
    void evictedBy(const QJsonObject &message);
    void refusedFor(const QJsonObject &message);
    void askedBy(const QJsonObject &message, qint64 lateMs);
    void refused(const QJsonObject &message);

    void warnedOfIdleness(qint64 inMs);
    void reportActivity();
    void stopReports();

    void fetchToken(const QString &need, const SeatOptions::TokenCallback &done);
    void refreshToken(const QString &need, qint64 inMs);
    void fetchRefresh();
    void stopRefresh();

    void look();
    void clearLease();
    qint64 jitterMs(int failures) const;
    bool send(const QJsonObject &message);
    void become(State state);
    bool hasSeat() const { return m_state == State::Active || m_state == State::Jeopardy; }
    bool isOver() const;
    /** Listeners are called from the event loop: what they do meets no half-changed client. */
    template <typename F> void later(F emission) { QMetaObject::invokeMethod(this, emission, Qt::QueuedConnection); }

    SeatOptions m_options;
    const QString m_instance;
    LeaseClock m_lease;
    State m_state = State::Closed;
    std::optional<Session> m_session;

    QPointer<WebSocketLink> m_link;
    Seen m_seen;
    /** The policy of the attempt under way; nothing once it is answered. */
    std::optional<QString> m_dialling;
    /** Grows with every attempt and stop: what was begun under an older number is stale. */
    int m_attempt = 0;
    qint64 m_hellos = 0;
    int m_failures = 0;
    QString m_need = QStringLiteral("connect");
    QString m_toldFault;

    bool m_isReleasing = false;
    bool m_hasLeft = false;
    /** Listeners were told that the seat is here: that it no longer is will be told too. */
    bool m_isHeld = false;
    /** The broker asked for the wait: waking up does not cut it short. */
    bool m_isWaitAsked = false;
    bool m_waitsInConflict = false;
    qint64 m_renewEveryMs = 60000;
    qint64 m_beatDueMs = std::numeric_limits<qint64>::max();
    std::optional<qint64> m_uselessSinceMs;
    qint64 m_lookedMs = 0;

    bool m_isRefreshing = false;
    QString m_refreshNeed;
    int m_refreshTries = 0;
    qint64 m_refreshNotBeforeMs = 0;

    /** How often the broker wants to hear of activity; nothing where the session has no idle limit. */
    std::optional<qint64> m_reportEveryMs;
    std::optional<qint64> m_reportedMs;
    qint64 m_activeMs = 0;
    bool m_isIdleWarned = false;

    QTimer m_lookTimer;
    QTimer m_answerTimer;
    QTimer m_retryTimer;
    QTimer m_releaseTimer;
    QTimer m_refreshTimer;
    QTimer m_reportTimer;
};

Q_DECLARE_METATYPE(SeatCause)

// end of seat_client.h
// ---------------------------------------------------------------------------------------------------------------------

#if defined(Q_OS_WIN)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#elif defined(Q_OS_DARWIN)
#include <mach/mach_time.h>
#else
#include <time.h>
#endif

namespace {

constexpr int Released = 1000;
constexpr int Left = 4000; // [leave-not-1000]
constexpr qint64 Never = std::numeric_limits<qint64>::max();
constexpr int LookEveryMs = 1000;
/** A look that comes this much late: the computer slept, or the process stood still. */
constexpr int JumpMs = 5000;
/** After a stall, time to read what lies in the socket before the connection is judged. */
constexpr int ReadMs = 250;
constexpr int LeastPatienceMs = 5000;
constexpr int CloseMs = 2000;
constexpr int ReleaseTimeoutMs = 2000;
/** However short its tokens are, a client asks for no more of them than one in this time. */
constexpr int RefreshPauseMs = 5000;
constexpr double MostWholeNumber = 9007199254740991.0;
constexpr quint64 MostMessageBytes = 1 << 20;

QString text(const QJsonObject &object, const char *name) { return object.value(QLatin1String(name)).toString(); }

/** A whole number of the protocol. Nothing where it is left out, null or something else. [null-left-out] */
std::optional<qint64> number(const QJsonObject &object, const char *name)
{
    const QJsonValue value = object.value(QLatin1String(name));
    const double number = value.toDouble(-1);
    if (!value.isDouble() || number < 0 || number > MostWholeNumber) return std::nullopt;
    return static_cast<qint64>(number); // A double has 53 bits: all 16 digits of an epoch. [epoch-digits]
}

bool isNumberOrLeftOut(const QJsonObject &object, const char *name)
{
    const QJsonValue value = object.value(QLatin1String(name));
    return value.isUndefined() || value.isNull() || number(object, name).has_value();
}

/** Whether a message has what the client acts on. One that has not is ignored, as is an unknown type. */
bool isUsable(const QString &type, const QJsonObject &message)
{
    if (type == QLatin1String("welcome"))
        return message.value(QLatin1String("sessionId")).isString() && number(message, "epoch") && number(message, "ttlMs") &&
               number(message, "renewEveryMs") && isNumberOrLeftOut(message, "elapsedMs");
    if (type == QLatin1String("lease"))
        return number(message, "epoch") && number(message, "ttlMs") && isNumberOrLeftOut(message, "elapsedMs");
    if (type == QLatin1String("evicted")) return message.value(QLatin1String("reason")).isString();
    if (type == QLatin1String("conflict")) return message.value(QLatin1String("holder")).isObject();
    if (type == QLatin1String("jeopardy")) return number(message, "graceMs").has_value();
    if (type == QLatin1String("idle_warning")) return number(message, "inMs").has_value();
    if (type == QLatin1String("draining")) return number(message, "reconnectWithinMs").has_value();
    if (type == QLatin1String("error"))
        return message.value(QLatin1String("code")).isString() && isNumberOrLeftOut(message, "retryAfterMs");
    if (type == QLatin1String("takeover_requested")) return number(message, "answerWithinMs").has_value();
    static const QStringList bare{QStringLiteral("seat_free"), QStringLiteral("ask_refused"), QStringLiteral("takeover_withdrawn")};
    if (bare.contains(type)) return true;
    return type == QLatin1String("recovered") || type == QLatin1String("token_expiring"); // [ignore-unknown]
}

bool isFinal(int code) { return code >= 4500 && code < 5000; } // [final-codes]

/** Whether an eviction is final by its reason. One that is not known here is: to stay away harms nobody. */
bool endsForGood(const QString &reason)
{
    static const QStringList passing{
        QStringLiteral("released"),       QStringLiteral("protocol_error"),    QStringLiteral("binary_not_supported"),
        QStringLiteral("draining"),       QStringLiteral("overloaded"),        QStringLiteral("store_unavailable"),
        QStringLiteral("token_expired"),  QStringLiteral("slow_consumer"),     QStringLiteral("token_not_yet_accepted"),
        QStringLiteral("lease_lost"),     QStringLiteral("no_pong"),           QStringLiteral("hello_timeout"),
        QStringLiteral("stale_attempt"),  QStringLiteral("rate_limited"),
    };
    return !passing.contains(reason); // [evicted-without-close]
}

/** A sentence for people about a final close. Translate them, or show your own. */
QString sentenceFor(int code, const QString &reason)
{
    static const QHash<QString, QString> sentences{
        {QStringLiteral("unauthorized"), QStringLiteral("The token is missing or not accepted.")},
        {QStringLiteral("machine_not_allowed"), QStringLiteral("The org does not allow this machine.")},
        {QStringLiteral("taken_over"), QStringLiteral("Another machine of the same user took the seat.")},
        {QStringLiteral("superseded"), QStringLiteral("Another window on this computer took the seat.")},
        {QStringLiteral("evicted_by_admin"), QStringLiteral("An administrator ended the session.")},
        {QStringLiteral("license_suspended"), QStringLiteral("The license is suspended.")},
        {QStringLiteral("license_revoked"), QStringLiteral("The license was revoked.")},
        {QStringLiteral("license_expired"), QStringLiteral("The license has expired.")},
        {QStringLiteral("license_required"), QStringLiteral("The user has no license in this org.")},
        {QStringLiteral("quota_exhausted"), QStringLiteral("The org has issued all the licenses that it bought.")},
        {QStringLiteral("flapping"), QStringLiteral("Two machines are fighting over the seat; a person must act.")},
    };
    return sentences.value(reason, QStringLiteral("The broker closed the connection with code %1 %2.").arg(code).arg(reason));
}

/** The cause that a refused handshake tells. */
SeatCause statusCause(int status, const QByteArray &retryAfter)
{
    SeatCause cause{QStringLiteral("status"), QStringLiteral("The handshake was answered with %1.").arg(status), status, {}};
    if (status == 403) cause.message = QStringLiteral("The broker, or a proxy before it, does not let this program in (403).");
    if (status == 404) cause.message = QStringLiteral("There is no broker under this path (404): it ends with /v1/connect.");
    if (status == 503) cause.message = QStringLiteral("The broker takes no sessions at the moment (503).");
    bool isSeconds = false;
    const uint seconds = retryAfter.toUInt(&isSeconds);
    if (isSeconds) cause.retryAfterMs = qint64(seconds) * 1000;
    if (isSeconds || retryAfter.isEmpty()) return cause;
    // A proxy may send a date.
    const QString form = QStringLiteral("ddd, dd MMM yyyy hh:mm:ss 'GMT'");
    QDateTime date = QLocale::c().toDateTime(QString::fromLatin1(retryAfter), form);
    date.setTimeSpec(Qt::UTC);
    if (date.isValid()) cause.retryAfterMs = std::max<qint64>(0, QDateTime::currentDateTimeUtc().msecsTo(date));
    return cause;
}

bool isFinalStatus(int status)
{
    return status == 400 || status == 403 || status == 404 || status == 405 || status == 426 || status == 431;
}

/** The address to dial. */
QUrl socketUrl(QUrl url)
{
    if (url.scheme() == QLatin1String("https")) url.setScheme(QStringLiteral("wss"));
    if (url.scheme() == QLatin1String("http")) url.setScheme(QStringLiteral("ws"));
    const bool isSocket = url.scheme() == QLatin1String("wss") || url.scheme() == QLatin1String("ws");
    if (!isSocket || url.host().isEmpty()) throw std::invalid_argument("url must begin with wss:// or ws:// and name a host");
    if (url.hasFragment()) throw std::invalid_argument("url must be without a fragment (#)");
    static const QRegularExpression secret(QStringLiteral("^((access_?)?token|jwt)$"), QRegularExpression::CaseInsensitiveOption);
    for (const auto &item : QUrlQuery(url).queryItems())
        if (secret.match(item.first).hasMatch()) // [token-not-in-url]
            throw std::invalid_argument("url must be without a token: getToken gives it");
    if (url.path().isEmpty() || url.path() == QLatin1String("/")) url.setPath(QStringLiteral("/v1/connect"));
    return url;
}

QByteArray randomBytes(int count)
{
    QByteArray bytes(count, Qt::Uninitialized);
    for (char &byte : bytes) byte = static_cast<char>(QRandomGenerator::system()->bounded(256));
    return bytes;
}

int timerMs(qint64 ms) { return static_cast<int>(std::clamp<qint64>(ms, 0, std::numeric_limits<int>::max())); }

} // namespace

SeatMachine SeatMachine::ofThisComputer(const QString &application)
{
    const QByteArray system = QSysInfo::machineUniqueId();
    if (system.isEmpty()) throw std::runtime_error("This system has no machine id: give one of your own that never changes.");
    const QByteArray message = QByteArrayLiteral("soleseat:") + application.toUtf8();
    const QByteArray hash = QMessageAuthenticationCode::hash(message, system, QCryptographicHash::Sha256);
    return {QString::fromLatin1(hash.toHex().left(32)), QSysInfo::machineHostName(), QSysInfo::prettyProductName(), {}};
}

// ---------------------------------------------------------------------------------------------------------------------
// LeaseClock

// Not QElapsedTimer, which stands still in sleep on Linux and macOS; not QDateTime, which anybody may set.
qint64 LeaseClock::nowMs() // [lease-clock] [lease-no-wall]
{
#if defined(Q_OS_WIN)
    return static_cast<qint64>(GetTickCount64());
#elif defined(Q_OS_DARWIN)
    static const mach_timebase_info_data_t base = [] {
        mach_timebase_info_data_t info;
        mach_timebase_info(&info);
        return info;
    }();
    return static_cast<qint64>(mach_continuous_time() / 1000000 * base.numer / base.denom);
#elif defined(CLOCK_BOOTTIME)
    timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<qint64>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
#else
#error "Name a clock that goes on while the computer sleeps."
#endif
}

void LeaseClock::connected()
{
    const qint64 now = nowMs();
    m_link = Link{now, now, now, std::nullopt, now, false};
}

void LeaseClock::asked()
{
    if (!m_link) return;
    m_link->askedMs = nowMs();
    m_link->isDoubted = false;
}

void LeaseClock::disconnected() { m_link.reset(); } // The lease outlives the connection. [lease-outlives]

qint64 LeaseClock::heard(const QString &type, const QJsonObject &message, bool counts)
{
    if (!m_link) return 0;
    const qint64 now = nowMs();
    const qint64 sentMs = dated(type, message, now);
    if (counts && (type == QLatin1String("welcome") || type == QLatin1String("lease"))) {
        const qint64 ttlMs = number(message, "ttlMs").value_or(0);
        m_link->ttlMs = ttlMs;
        m_link->graceUntilMs = now;
        // The newest decides, also when it is less.
        if (!m_link->isDoubted) m_untilMs = sentMs + ttlMs; // [lease-newest]
    }
    if (type == QLatin1String("jeopardy")) // [jeopardy-until]
        m_link->graceUntilMs = sentMs + number(message, "graceMs").value_or(0);
    if (m_link->ttlMs && now - sentMs > *m_link->ttlMs / 3) m_link->isDoubted = true; // [lease-behind]
    return now - sentMs;
}

/** When the node wrote a message, at the latest, on this clock. */
qint64 LeaseClock::dated(const QString &type, const QJsonObject &message, qint64 nowMs)
{
    const bool isAnswer = type == QLatin1String("welcome") || type == QLatin1String("conflict");
    const std::optional<qint64> askedMs = isAnswer ? m_link->askedMs : std::nullopt;
    if (isAnswer) m_link->askedMs.reset();
    const std::optional<qint64> elapsedMs = number(message, "elapsedMs");
    if (!elapsedMs) return nowMs; // An older broker: it counts from receipt. [lease-legacy]
    // The node's clock may run a little slower than ours: by a thousandth, and 0.1 s at most each time.
    const qint64 slewMs = std::min<qint64>((nowMs - m_link->heardMs) / 1000, 100);
    m_link->baseMs = askedMs ? *askedMs - *elapsedMs : std::min(m_link->baseMs + slewMs, nowMs - *elapsedMs); // [lease-base]
    m_link->heardMs = nowMs;
    return m_link->baseMs + *elapsedMs;
}

void LeaseClock::clear()
{
    m_untilMs.reset();
    if (m_link) m_link->ttlMs.reset();
}

bool LeaseClock::holds() const { return m_untilMs && nowMs() < *m_untilMs; } // [lease-until]

std::optional<qint64> LeaseClock::leftMs() const
{
    if (!m_untilMs) return std::nullopt;
    return *m_untilMs - nowMs();
}

bool LeaseClock::mustResume() const
{
    if (!m_link || !m_link->ttlMs) return false;
    // In jeopardy the lease passes without that: the node tries on for as long as it said.
    const bool hasPassed = !holds() && nowMs() >= m_link->graceUntilMs; // [lease-passed]
    return m_link->isDoubted || hasPassed;
}

// ---------------------------------------------------------------------------------------------------------------------
// WebSocketLink

WebSocketLink::WebSocketLink(const QUrl &url, const SeatOptions &options, QObject *parent)
    : QObject(parent), m_url(url), m_isSecure(url.scheme() == QLatin1String("wss")), m_socket(new QSslSocket(this))
{
    if (options.proxy) m_socket->setProxy(*options.proxy);
    if (options.tls) m_socket->setSslConfiguration(*options.tls);
    connect(m_socket, m_isSecure ? &QSslSocket::encrypted : &QSslSocket::connected, this, &WebSocketLink::sendHandshake);
    connect(m_socket, &QSslSocket::readyRead, this, &WebSocketLink::read);
    // From the event loop, as the state changes before the error is set.
    const auto stateChanged = [this](QAbstractSocket::SocketState state) {
        if (state == QAbstractSocket::UnconnectedState) socketEnded();
    };
    connect(m_socket, &QSslSocket::stateChanged, this, stateChanged, Qt::QueuedConnection);
}

void WebSocketLink::open()
{
    const quint16 port = static_cast<quint16>(m_url.port(m_isSecure ? 443 : 80));
    if (m_isSecure)
        m_socket->connectToHostEncrypted(m_url.host(QUrl::FullyEncoded), port);
    else
        m_socket->connectToHost(m_url.host(QUrl::FullyEncoded), port);
}

void WebSocketLink::sendHandshake()
{
    if (m_phase == Phase::Over) return;
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_key = randomBytes(16).toBase64();
    const QByteArray path = m_url.toEncoded(QUrl::RemoveScheme | QUrl::RemoveAuthority);
    const QString name = m_url.host(QUrl::FullyEncoded);
    const QString host = name.contains(QLatin1Char(':')) ? QLatin1Char('[') + name + QLatin1Char(']') : name;
    const QString port = m_url.port() < 0 ? QString() : QLatin1Char(':') + QString::number(m_url.port());
    m_socket->write("GET " + path + " HTTP/1.1\r\nHost: " + (host + port).toLatin1() +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + m_key +
                    "\r\nSec-WebSocket-Protocol: soleseat.v1\r\n\r\n"); // [offer-subprotocol]
}

void WebSocketLink::send(const QJsonObject &message)
{
    if (m_phase == Phase::Open && !m_sentClose) sendFrame(0x1, QJsonDocument(message).toJson(QJsonDocument::Compact));
}

void WebSocketLink::drop(quint16 code)
{
    if (m_phase == Phase::Open && !m_sentClose) {
        QByteArray payload(2, Qt::Uninitialized);
        qToBigEndian(code, payload.data());
        sendFrame(0x8, payload);
    }
    m_phase = Phase::Over;
    hangUp();
}

/** Sends what is written and goes. With a peer that reads nothing it is cut off: nobody waits for that. [no-wait-for-close] */
void WebSocketLink::hangUp()
{
    disconnect(m_socket, nullptr, this, nullptr);
    connect(m_socket, &QSslSocket::disconnected, this, &QObject::deleteLater);
    QTimer::singleShot(CloseMs, this, &QObject::deleteLater);
    if (m_socket->state() == QAbstractSocket::ConnectedState) {
        m_socket->flush();
        m_socket->disconnectFromHost();
    } else {
        m_socket->abort();
    }
}

void WebSocketLink::read()
{
    m_buffer += m_socket->readAll();
    if (m_phase == Phase::Dialling && !readHandshake()) return;
    while (m_phase == Phase::Open && readFrame()) {
    }
}

/** False where the answer is not here yet, or is not the right one. */
bool WebSocketLink::readHandshake()
{
    constexpr int MostBytes = 16384;
    const int length = m_buffer.indexOf("\r\n\r\n");
    if (length < 0 && m_buffer.size() < MostBytes) return false;
    const QList<QByteArray> lines = m_buffer.left(std::max(length, 0)).split('\n');
    m_buffer.remove(0, length + 4);
    const QList<QByteArray> first = lines.value(0).split(' ');
    const int status = first.value(0).startsWith("HTTP/1.") ? first.value(1).trimmed().toInt() : 0;
    QHash<QByteArray, QByteArray> headers;
    for (const QByteArray &line : lines) {
        const int colon = line.indexOf(':');
        if (colon > 0) headers.insert(line.left(colon).trimmed().toLower(), line.mid(colon + 1).trimmed());
    }
    if (status != 0 && status != 101) {
        end(NoCloseFrame, QString(), statusCause(status, headers.value("retry-after")));
        return false;
    }
    const QByteArray proof = m_key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const QByteArray accept = QCryptographicHash::hash(proof, QCryptographicHash::Sha1).toBase64();
    if (headers.value("sec-websocket-accept") != accept || headers.value("sec-websocket-protocol") != "soleseat.v1") {
        const QString message = QStringLiteral("What answered is no Soleseat broker.");
        end(NoCloseFrame, QString(), SeatCause{QStringLiteral("network"), message, 0, {}});
        return false;
    }
    m_phase = Phase::Open;
    emit opened();
    return true;
}

/** False where there is no whole frame yet. */
bool WebSocketLink::readFrame()
{
    if (m_buffer.size() < 2) return false;
    const auto *bytes = reinterpret_cast<const uchar *>(m_buffer.constData());
    const int opcode = bytes[0] & 0x0f;
    quint64 length = bytes[1] & 0x7f;
    const int head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (m_buffer.size() < head) return false;
    if (length == 126) length = qFromBigEndian<quint16>(bytes + 2);
    if (length == 127) length = qFromBigEndian<quint64>(bytes + 2);
    const bool isControl = opcode >= 0x8;
    const bool isFinal = bytes[0] & 0x80;
    const quint64 partBytes = m_parts ? static_cast<quint64>(m_parts->size()) : 0;
    // No extension was agreed on, and a server does not mask.
    const bool isForeign = (bytes[0] & 0x70) || (bytes[1] & 0x80) || (isControl && (!isFinal || length > 125));
    if (isForeign || length > MostMessageBytes - partBytes) {
        const QString message = QStringLiteral("What came is no WebSocket frame.");
        end(NoCloseFrame, QString(), SeatCause{QStringLiteral("network"), message, 0, {}});
        return false;
    }
    if (static_cast<quint64>(m_buffer.size() - head) < length) return false;
    const QByteArray payload = m_buffer.mid(head, static_cast<int>(length));
    m_buffer.remove(0, head + static_cast<int>(length));
    act(opcode, isFinal, payload);
    return true;
}

void WebSocketLink::act(int opcode, bool isFinal, const QByteArray &payload)
{
    if (opcode == 0x8) return actOnClose(payload);
    if (opcode == 0x9) {
        sendFrame(0xA, payload); // [pong]
        emit pinged();
        return;
    }
    if (opcode > 0x2) return; // A pong that nobody asked for.
    m_parts = opcode == 0 && m_parts ? *m_parts + payload : payload; // [fragments]
    if (!isFinal) return;
    const QByteArray whole = *m_parts;
    m_parts.reset();
    emit received(whole);
}

void WebSocketLink::actOnClose(const QByteArray &payload)
{
    constexpr int NoCode = 1005;
    const int code = payload.size() < 2 ? NoCode : qFromBigEndian<quint16>(payload.constData());
    const QString reason = QString::fromUtf8(payload.mid(2));
    if (!m_sentClose) sendFrame(0x8, payload.left(2));
    end(code, reason, SeatCause{QStringLiteral("close"), sentenceFor(code, reason), 0, {}});
}

void WebSocketLink::sendFrame(int opcode, const QByteArray &payload)
{
    if (opcode == 0x8) m_sentClose = true;
    QByteArray frame(1, static_cast<char>(0x80 | opcode));
    if (payload.size() < 126) {
        frame += static_cast<char>(0x80 | payload.size());
    } else if (payload.size() < 65536) {
        frame += static_cast<char>(0x80 | 126);
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size());
    } else {
        frame += static_cast<char>(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(static_cast<quint64>(payload.size()) >> shift);
    }
    const QByteArray mask = randomBytes(4);
    frame += mask;
    for (int at = 0; at < payload.size(); at++) frame += static_cast<char>(payload[at] ^ mask[at % 4]);
    m_socket->write(frame);
}

/** The socket is over without a close frame, or never came about. */
void WebSocketLink::socketEnded()
{
    if (m_phase == Phase::Over) return;
    read();
    QString kind = QStringLiteral("network");
    switch (m_socket->error()) {
    case QAbstractSocket::HostNotFoundError: kind = QStringLiteral("host_not_found"); break;
    case QAbstractSocket::ConnectionRefusedError: kind = QStringLiteral("refused"); break;
    case QAbstractSocket::SslHandshakeFailedError:
    case QAbstractSocket::SslInternalError:
    case QAbstractSocket::SslInvalidUserDataError: kind = QStringLiteral("tls"); break;
    default: break;
    }
    end(NoCloseFrame, QString(), SeatCause{kind, m_socket->errorString(), 0, {}});
}

void WebSocketLink::end(int code, const QString &reason, const SeatCause &cause)
{
    if (m_phase == Phase::Over) return;
    m_phase = Phase::Over;
    hangUp();
    emit ended(code, reason, cause);
}

// ---------------------------------------------------------------------------------------------------------------------
// SeatClient: calls

SeatClient::SeatClient(SeatOptions options, QObject *parent)
    : QObject(parent),
      m_options(std::move(options)),
      m_instance(QString::fromLatin1(randomBytes(16).toHex())) // [instance-new] [instance-same]
{
    qRegisterMetaType<SeatCause>();
    m_options.url = socketUrl(m_options.url);
    m_lookedMs = LeaseClock::nowMs();
    for (QTimer *timer : {&m_lookTimer, &m_answerTimer, &m_retryTimer, &m_releaseTimer, &m_refreshTimer, &m_reportTimer}) {
        timer->setSingleShot(true);
        timer->setTimerType(Qt::PreciseTimer);
    }
    connect(&m_lookTimer, &QTimer::timeout, this, &SeatClient::look);
    connect(&m_answerTimer, &QTimer::timeout, this, [this] { // [answer-timeout]
        giveUp({QStringLiteral("timeout"), QStringLiteral("The broker gave no answer in time."), 0, {}});
    });
    connect(&m_retryTimer, &QTimer::timeout, this, [this] { dial(QStringLiteral("deny")); }); // [reconnect-deny]
    connect(&m_releaseTimer, &QTimer::timeout, this, [this] { // [release-timeout]
        finish(State::Closed, WebSocketLink::NoCloseFrame, QStringLiteral("no answer to release"));
    });
    connect(&m_refreshTimer, &QTimer::timeout, this, &SeatClient::fetchRefresh);
    connect(&m_reportTimer, &QTimer::timeout, this, &SeatClient::reportActivity);
}

SeatClient::~SeatClient()
{
    if (m_link) m_link->drop(Left);
}

void SeatClient::start()
{
    if (m_attempt != 0) return;
    dial(m_options.onConflict);
    become(State::Connecting);
}

void SeatClient::takeOver() // [takeover-by-person]
{
    if (m_isReleasing || m_dialling == QLatin1String("takeover")) return;
    m_hasLeft = false;
    if (claim(false)) return;
    dial(QStringLiteral("takeover"));
    become(State::Connecting);
}

void SeatClient::ask() // [ask-by-person] [ask-waits]
{
    const bool isBusy = (m_dialling && m_dialling != QLatin1String("deny")) || hasSeat() || (m_state == State::Conflict && m_seen.isAsking);
    if (isBusy || m_isReleasing) return;
    m_hasLeft = false;
    dial(QStringLiteral("ask"));
    become(State::Connecting);
}

void SeatClient::answer(bool yields, qint64 needMs)
{
    QJsonObject answer{{QStringLiteral("type"), QStringLiteral("answer")}, {QStringLiteral("yield"), yields}};
    if (needMs > 0) answer.insert(QStringLiteral("needMs"), needMs);
    send(answer);
}

void SeatClient::takeIfFree() // [take-if-free]
{
    claim(true);
}

/**
 * Asks for the seat on the connection that waits with a conflict. False where there is none. One question at a time: the answer is
 * dated from it. A click that comes meanwhile follows the answer. [one-takeover]
 */
bool SeatClient::claim(bool ifFree)
{
    if (m_isReleasing || m_state != State::Conflict || !m_link) return false;
    if (m_seen.claimIsIfFree) {
        m_seen.wantsSeat = m_seen.wantsSeat || (*m_seen.claimIsIfFree && !ifFree);
        return true;
    }
    // The grant after a yes may be under way already. [ask-undated]
    if (!m_seen.isAsking) m_lease.asked();
    QJsonObject takeover{{QStringLiteral("type"), QStringLiteral("takeover")}};
    if (ifFree) takeover.insert(QStringLiteral("ifFree"), true);
    if (!send(takeover)) return false;
    m_seen.claimIsIfFree = ifFree;
    m_seen.wantsSeat = false;
    return true;
}

void SeatClient::retryNow() // [person-may-retry]
{
    const bool isBusy = m_dialling || (hasSeat() && m_link);
    if (isBusy || m_hasLeft || m_isReleasing) return;
    dial(QStringLiteral("deny"));
    become(State::Connecting);
}

void SeatClient::activity(qint64 idleMs)
{
    if (!m_reportEveryMs) return;
    const qint64 now = LeaseClock::nowMs();
    m_activeMs = std::max(m_activeMs, now - idleMs);
    if (m_isIdleWarned || !m_reportedMs || now - *m_reportedMs >= *m_reportEveryMs) reportActivity(); // [idle-warning]
    else if (!m_reportTimer.isActive()) m_reportTimer.start(timerMs(*m_reportedMs + *m_reportEveryMs - now)); // [activity-spacing]
}

void SeatClient::release() // [release]
{
    if (m_isReleasing) return;
    if (isOver()) return later([this] { emit released(); });
    m_hasLeft = true;
    clearLease();
    m_isReleasing = true;
    // Without a connection there is nobody to give the seat to: it ends with its TTL.
    if (m_state == State::Conflict || !send({{QStringLiteral("type"), QStringLiteral("release")}}))
        return finish(State::Closed, Released, QStringLiteral("released"));
    m_releaseTimer.start(ReleaseTimeoutMs);
}

void SeatClient::disconnectFromBroker()
{
    if (isOver()) return;
    m_hasLeft = true;
    finish(State::Closed, Left, QStringLiteral("disconnected"));
}

QDeadlineTimer SeatClient::leaseDeadline() const
{
    return QDeadlineTimer(std::max<qint64>(0, m_lease.leftMs().value_or(0)), Qt::PreciseTimer);
}

bool SeatClient::isOver() const
{
    return !m_link && (m_state == State::Closed || m_state == State::Evicted || m_state == State::Denied);
}

// ---------------------------------------------------------------------------------------------------------------------
// SeatClient: dialling, and what the end of a connection means

void SeatClient::dial(const QString &policy)
{
    stop(Left);
    m_dialling = policy;
    fetchToken(m_need, [this, policy, attempt = m_attempt](const QString &token, const QString &fault) {
        if (attempt != m_attempt) return;
        if (!token.isEmpty()) return connectWith(token, policy);
        m_seen = Seen{};
        const SeatCause cause{QStringLiteral("token"), QStringLiteral("There is no token for the broker: ") + fault, 0, {}};
        lost(WebSocketLink::NoCloseFrame, QStringLiteral("no token"), cause); // [token-failure]
    });
}

/** Ends the connection, the attempt and the waits, and ignores what still comes of them. */
void SeatClient::stop(quint16 code)
{
    m_attempt++;
    m_dialling.reset();
    m_retryTimer.stop();
    m_answerTimer.stop();
    stopRefresh();
    m_beatDueMs = Never;
    m_waitsInConflict = false;
    m_uselessSinceMs.reset();
    stopReports();
    if (m_link) {
        disconnect(m_link, nullptr, this, nullptr);
        m_link->setParent(nullptr); // It ends by itself, also where the client is deleted.
        m_link->drop(code);
    }
    m_link = nullptr;
    m_lease.disconnected();
}

void SeatClient::connectWith(const QString &token, const QString &policy)
{
    m_seen = Seen{};
    m_link = new WebSocketLink(m_options.url, m_options, this);
    connect(m_link, &WebSocketLink::opened, this, [this, token, policy] {
        m_seen.wasOpen = true;
        m_lease.connected();
        m_link->send(hello(token, policy)); // [hello-first]
    });
    connect(m_link, &WebSocketLink::received, this, &SeatClient::receive);
    connect(m_link, &WebSocketLink::pinged, this, [this] {
        if (m_waitsInConflict) expectBeat(QStringLiteral("ping"), {}); // [conflict-silence]
    });
    connect(m_link, &WebSocketLink::ended, this, [this](int code, const QString &reason, const SeatCause &cause) {
        m_link->setParent(nullptr);
        m_link = nullptr;
        lost(code, reason, cause);
    });
    m_answerTimer.start(m_options.connectTimeoutMs);
    m_link->open();
    look();
}

QJsonObject SeatClient::hello(const QString &token, const QString &policy)
{
    QJsonObject machine{{QStringLiteral("id"), m_options.machine.id}};
    if (!m_options.machine.name.isEmpty()) machine.insert(QStringLiteral("name"), m_options.machine.name);
    if (!m_options.machine.os.isEmpty()) machine.insert(QStringLiteral("os"), m_options.machine.os);
    if (!m_options.machine.kind.isEmpty()) machine.insert(QStringLiteral("kind"), m_options.machine.kind);
    QJsonObject hello{
        {QStringLiteral("type"), QStringLiteral("hello")},
        {QStringLiteral("machine"), machine},
        {QStringLiteral("instance"), m_instance},  // [hello-instance]
        {QStringLiteral("attempt"), ++m_hellos},   // [attempt-grows]
        {QStringLiteral("onConflict"), policy},
        {QStringLiteral("token"), token},
    };
    if (m_session) // [resume-latest]
        hello.insert(QStringLiteral("resume"), QJsonObject{{QStringLiteral("sessionId"), m_session->id},
                                                           {QStringLiteral("epoch"), m_session->epoch}});
    if (!m_options.program.isEmpty())
        hello.insert(QStringLiteral("client"), QJsonObject{{QStringLiteral("name"), m_options.program},
                                                           {QStringLiteral("version"), m_options.programVersion}});
    if (m_options.asks) hello.insert(QStringLiteral("asks"), true); // [asks-told]
    try {
        if (m_options.idleMs) hello.insert(QStringLiteral("idleMs"), std::max<qint64>(0, m_options.idleMs())); // [idle-hello]
    } catch (const std::exception &fault) { // A fault of the program must not keep it from its seat.
        qWarning("soleseat: idleMs threw: %s", fault.what());
    }
    return hello;
}

/** The connection counts as lost. */
void SeatClient::giveUp(const SeatCause &cause)
{
    if (!m_link) return;
    disconnect(m_link, nullptr, this, nullptr);
    m_link->setParent(nullptr);
    m_link->drop(Left);
    m_link = nullptr;
    lost(WebSocketLink::NoCloseFrame, cause.kind, cause);
}

/** The connection ended, or an attempt came to nothing. */
void SeatClient::lost(int code, const QString &reason, const SeatCause &cause)
{
    m_dialling.reset();
    m_answerTimer.stop();
    stopRefresh();
    m_beatDueMs = Never;
    m_waitsInConflict = false;
    m_uselessSinceMs.reset();
    stopReports();
    m_lease.disconnected();
    // Told once, and not again at each attempt that fails in the same way.
    const QString fault = cause.kind + QString::number(cause.status);
    if (!m_seen.wasOpen && cause.kind != QLatin1String("token") && fault != m_toldFault) {
        m_toldFault = fault;
        const QString name = QStringLiteral("connection_failed");
        later([=] { emit errorOccurred(name, cause.message, cause.retryAfterMs.value_or(-1)); });
    }
    if (const std::optional<State> ending = endingOf(code, reason, cause))
        finish(*ending, code, reason, cause);
    else
        redial(code, cause);
    look();
}

/** Nothing where the connection is to be replaced. */
std::optional<SeatClient::State> SeatClient::endingOf(int code, const QString &reason, const SeatCause &cause) const
{
    if (m_isReleasing) return State::Closed;
    if (m_seen.evictedReason && (isFinal(code) || endsForGood(*m_seen.evictedReason))) return State::Evicted;
    if (isFinal(code) || isFinalStatus(cause.status)) return State::Denied; // [handshake-final] [handshake-others-retry]
    const bool isGivenBack = reason == QLatin1String("released") || reason == QLatin1String("left");
    if (code == Released && isGivenBack) return State::Closed; // [close-1000] [other-codes-retry]
    return std::nullopt;
}

/** Dials by itself after a wait. */
void SeatClient::redial(int code, const SeatCause &cause)
{
    // [handshake-retry-after]
    const std::optional<qint64> askedMs = cause.retryAfterMs ? cause.retryAfterMs : m_seen.retryAfterMs;
    const double random = QRandomGenerator::global()->generateDouble();
    const qint64 spreadMs = m_seen.drainWithinMs
        ? static_cast<qint64>(random * std::min<qint64>(*m_seen.drainWithinMs, m_options.longestWaitMs)) // [drain-spread]
        : jitterMs(m_failures);
    // Added: those who were told the same wait must not come back in step.
    const int inMs = timerMs(askedMs.value_or(0) + spreadMs); // [retry-after-ms]
    m_failures++;
    m_isWaitAsked = askedMs || m_seen.drainWithinMs;
    if (code == 4001 || cause.status == 401) m_need = QStringLiteral("token_expired"); // [new-token] [handshake-401]
    if (code == 4002) m_need = QStringLiteral("token_not_yet_accepted");
    m_retryTimer.start(inMs);
    become(State::Reconnecting);
    later([=] { emit reconnecting(inMs, code, cause); });
}

void SeatClient::finish(State ending, int code, const QString &reason, const SeatCause &cause)
{
    const bool wasReleasing = m_isReleasing;
    m_isReleasing = false;
    m_releaseTimer.stop();
    stop(code == Released ? Released : Left);
    m_session.reset();
    clearLease();
    become(ending);
    if (ending == State::Denied) {
        const bool isHandshake = cause.kind == QLatin1String("status");
        const QString told = isHandshake ? QStringLiteral("handshake_refused") : reason;
        const QString message = !m_seen.errorMessage.isEmpty() ? m_seen.errorMessage : cause.message;
        later([=] { emit denied(code, told, message); });
    }
    later([=] { emit closed(code, reason); });
    if (wasReleasing) later([this] { emit released(); });
}

/** Full jitter: spread over the whole time, so that thousands that lost one node do not come back together. */
qint64 SeatClient::jitterMs(int failures) const
{
    const double widestMs = std::min<double>(m_options.longestWaitMs, m_options.firstWaitMs * std::pow(2.0, failures));
    return static_cast<qint64>(QRandomGenerator::global()->generateDouble() * widestMs); // [backoff-jitter]
}

// ---------------------------------------------------------------------------------------------------------------------
// SeatClient: what the broker says

void SeatClient::receive(const QByteArray &text)
{
    const QJsonObject message = QJsonDocument::fromJson(text).object(); // Empty for what is no object. [ignore-unreadable]
    const QString type = ::text(message, "type");
    if (!isUsable(type, message)) return;
    expectBeat(type, message);
    // A renewal of a grant before the latest one is no news.
    const bool isOutdated =
        type == QLatin1String("lease") && (!m_session || number(message, "epoch").value_or(0) < m_session->epoch);
    const bool counts = !m_isReleasing && !isOutdated;
    const qint64 lateMs = m_lease.heard(type, message, counts);
    if (type == QLatin1String("takeover_requested")) askedBy(message, lateMs);
    if (type == QLatin1String("idle_warning")) warnedOfIdleness(std::max<qint64>(0, *number(message, "inMs") - lateMs));
    if (counts || type != QLatin1String("lease")) tell(type, message);
    look();
}

void SeatClient::tell(const QString &type, const QJsonObject &message)
{
    if (type == QLatin1String("welcome")) return welcomedBy(message);
    if (type == QLatin1String("lease")) return renewed(number(message, "epoch").value_or(0));
    if (type == QLatin1String("evicted")) return evictedBy(message);
    if (type == QLatin1String("conflict")) return refusedFor(message);
    if (type == QLatin1String("error")) return refused(message);
    if (type == QLatin1String("token_expiring")) {
        refreshToken(QStringLiteral("token_expiring"), m_refreshNotBeforeMs - LeaseClock::nowMs()); // [refresh]
    } else if (type == QLatin1String("draining")) {
        m_seen.drainWithinMs = number(message, "reconnectWithinMs");
    } else if (type == QLatin1String("ask_refused")) {
        m_seen.isAsking = false;
        later([this] { emit askRefused(); }); // [ask-refused]
    } else if (type == QLatin1String("takeover_withdrawn")) {
        later([this] { emit takeoverWithdrawn(); });
    } else if (type == QLatin1String("seat_free")) {
        if (m_state == State::Conflict) later([this] { emit seatFree(); });
    } else if (type == QLatin1String("jeopardy")) {
        if (m_state == State::Active) become(State::Jeopardy);
        later([this, graceMs = number(message, "graceMs").value_or(0)] { emit jeopardy(graceMs); });
    } else if (type == QLatin1String("recovered")) {
        if (m_state == State::Jeopardy) become(State::Active);
        later([this] { emit recovered(); });
    }
}

/** When the next sign of life is due. On a connection that is half open nothing else shows that it is dead. */
void SeatClient::expectBeat(const QString &type, const QJsonObject &message)
{
    if (type == QLatin1String("welcome")) {
        m_renewEveryMs = number(message, "renewEveryMs").value_or(m_renewEveryMs);
        m_waitsInConflict = false;
    }
    const qint64 patienceMs = std::max<qint64>(LeastPatienceMs, m_renewEveryMs * 5 / 2); // [silence]
    const qint64 now = LeaseClock::nowMs();
    if (type == QLatin1String("welcome") || type == QLatin1String("lease") || type == QLatin1String("ping"))
        m_beatDueMs = now + patienceMs;
    if (type == QLatin1String("jeopardy")) m_beatDueMs = now + number(message, "graceMs").value_or(0); // [jeopardy-wait]
    if (type == QLatin1String("evicted")) m_beatDueMs = now + CloseMs;
    if (type == QLatin1String("conflict")) {
        m_beatDueMs = Never;
        m_waitsInConflict = true;
    }
    if (type == QLatin1String("welcome") || type == QLatin1String("conflict")) m_answerTimer.stop();
}

void SeatClient::welcomedBy(const QJsonObject &message)
{
    m_dialling.reset();
    m_need = QStringLiteral("connect");
    m_toldFault.clear();
    m_session = Session{text(message, "sessionId"), number(message, "epoch").value_or(0)}; // [resumed-false]
    // The release was sent behind the hello: the broker gives the seat back right after this grant.
    if (m_isReleasing) return;
    stopReports();
    // A program that does not tell is not asked. [idle-untold]
    if (m_options.idleMs) m_reportEveryMs = number(message.value(QLatin1String("idle")).toObject(), "reportEveryMs");
    m_isHeld = true;
    become(State::Active);
    later([this, message] { emit welcomed(message); });
}

void SeatClient::renewed(qint64 epoch)
{
    m_session->epoch = epoch;
    // A message that lay unread is no news of the seat, and no sign that the connection is well.
    if (!m_lease.holds()) return;
    if (!m_lease.mustResume()) {
        m_failures = 0; // [backoff-reset]
        m_seen.forgetError();
    }
    m_isHeld = true;
    later([this, epoch, ttlMs = m_lease.leftMs().value_or(0)] { emit leaseRenewed(epoch, ttlMs); });
}

void SeatClient::evictedBy(const QJsonObject &message) // [evicted-at-once] [evicted-first]
{
    const QString reason = text(message, "reason");
    m_seen.evictedReason = reason;
    if (endsForGood(reason)) m_session.reset();
    clearLease();
    become(State::Evicted);
    const QString by = text(message.value(QLatin1String("by")).toObject().value(QLatin1String("machine")).toObject(), "name");
    const qint64 atMs = number(message, "at").value_or(0);
    later([=, epoch = number(message, "epoch").value_or(0)] { emit evicted(reason, by, atMs, epoch); });
}

/** Another machine has the seat. The connection stays open, as a person may choose to take over. [conflict-wait] */
void SeatClient::refusedFor(const QJsonObject &message)
{
    const QJsonObject holder = message.value(QLatin1String("holder")).toObject();
    m_dialling.reset();
    m_need = QStringLiteral("connect");
    m_toldFault.clear();
    m_session.reset(); // [conflict-lost]
    clearLease();
    become(State::Conflict);
    m_seen.forgetError();
    m_seen.claimIsIfFree.reset();
    m_seen.isAsking = message.value(QLatin1String("asking")).toBool();
    if (m_seen.wantsSeat) claim(false);
    const QString name = text(holder.value(QLatin1String("machine")).toObject(), "name");
    const bool isSameMachine = holder.value(QLatin1String("sameMachine")).toBool();
    later([=, sinceMs = number(holder, "since").value_or(0)] { emit conflict(name, sinceMs, isSameMachine); });
    if (m_seen.isAsking) later([this, waitMs = number(message, "waitMs").value_or(0)] { emit asked(waitMs); });
}

void SeatClient::refused(const QJsonObject &message)
{
    const QString code = text(message, "code");
    const std::optional<qint64> retryAfterMs = number(message, "retryAfterMs");
    m_seen.errorMessage = text(message, "message");
    m_seen.claimIsIfFree.reset();
    m_seen.wantsSeat = false;
    // Nobody closes for a refresh that came too early: the session goes on. [refresh-not-yet]
    if (retryAfterMs && code == QLatin1String("token_not_yet_accepted") && hasSeat())
        refreshToken(code, *retryAfterMs + jitterMs(0));
    else if (retryAfterMs)
        m_seen.retryAfterMs = retryAfterMs;
    later([this, code, text = m_seen.errorMessage, retryAfterMs] { emit errorOccurred(code, text, retryAfterMs.value_or(-1)); });
}

/** The seat stays here until `evicted`, whatever is answered. [ask-keeps-seat] */
void SeatClient::askedBy(const QJsonObject &message, qint64 lateMs)
{
    if (!hasSeat()) return;
    const QString by = text(message.value(QLatin1String("by")).toObject().value(QLatin1String("machine")).toObject(), "name");
    const qint64 withinMs = std::max<qint64>(0, *number(message, "answerWithinMs") - lateMs);
    later([=] { emit takeoverRequested(by, withinMs); });
}

void SeatClient::warnedOfIdleness(qint64 inMs)
{
    m_isIdleWarned = true;
    if (m_reportTimer.isActive()) reportActivity();
    later([this, inMs] { emit idleWarning(inMs); });
}

void SeatClient::reportActivity()
{
    m_reportTimer.stop();
    m_isIdleWarned = false;
    const qint64 now = LeaseClock::nowMs();
    m_reportedMs = now;
    send({{QStringLiteral("type"), QStringLiteral("activity")}, // [activity-latest]
          {QStringLiteral("idleMs"), std::max<qint64>(0, now - m_activeMs)}});
}

/** The seat or the connection is gone. The next `hello` tells how things stand. */
void SeatClient::stopReports()
{
    m_reportTimer.stop();
    m_reportEveryMs.reset();
    m_isIdleWarned = false;
}

// ---------------------------------------------------------------------------------------------------------------------
// SeatClient: tokens

/** Calls back once, with a token or with what is wrong; a source that gives nothing in time has failed. [token-timeout] */
void SeatClient::fetchToken(const QString &need, const SeatOptions::TokenCallback &done)
{
    const auto settled = std::make_shared<bool>(false);
    const SeatOptions::TokenCallback settle = [this, self = QPointer<SeatClient>(this), attempt = m_attempt, settled,
                                               done](const QString &token, const QString &fault) {
        if (!self || *settled) return;
        *settled = true;
        const QString told = token.isEmpty() && fault.isEmpty() ? QStringLiteral("getToken gave no token") : fault;
        if (token.isEmpty() && attempt == m_attempt)
            later([this, told] { emit errorOccurred(QStringLiteral("token_unavailable"), told, -1); });
        done(token, told);
    };
    const QString late = QStringLiteral("getToken gave no token in time");
    QTimer::singleShot(m_options.tokenTimeoutMs, this, [settle, late] { settle({}, late); });
    // From the event loop, as a token source may call back at once.
    later([this, need, settle] { m_options.getToken(need, settle); });
}

/** Gives the broker a new token on the open connection. One that waits or is under way serves later warnings too. */
void SeatClient::refreshToken(const QString &need, qint64 inMs)
{
    if (m_isRefreshing) return;
    m_isRefreshing = true;
    m_refreshNeed = need;
    m_refreshTries = 0;
    m_refreshTimer.start(timerMs(inMs));
}

void SeatClient::fetchRefresh()
{
    fetchToken(m_refreshNeed, [this, attempt = m_attempt](const QString &token, const QString &) {
        if (attempt != m_attempt || !m_isRefreshing) return;
        if (token.isEmpty()) return m_refreshTimer.start(timerMs(jitterMs(m_refreshTries++)));
        m_isRefreshing = false;
        m_refreshNotBeforeMs = LeaseClock::nowMs() + RefreshPauseMs;
        send({{QStringLiteral("type"), QStringLiteral("refresh")}, {QStringLiteral("token"), token}});
    });
}

void SeatClient::stopRefresh()
{
    m_isRefreshing = false;
    m_refreshTimer.stop();
}

// ---------------------------------------------------------------------------------------------------------------------
// SeatClient: the clock

/** After each message, when something is due, and every second, as timers stand still while the computer sleeps. */
void SeatClient::look()
{
    const qint64 now = LeaseClock::nowMs();
    const bool hasWoken = now - m_lookedMs > LookEveryMs + JumpMs;
    m_lookedMs = now;
    if (m_isHeld && !m_lease.holds()) {
        m_isHeld = false;
        if (m_session) later([this, epoch = m_session->epoch] { emit leaseExpired(epoch); });
    }
    const bool isUseless = m_link && (m_lease.mustResume() || now >= m_beatDueMs);
    if (!isUseless) m_uselessSinceMs.reset();
    else if (!m_uselessSinceMs) m_uselessSinceMs = now;
    else if (now - *m_uselessSinceMs >= ReadMs)
        return giveUp({QStringLiteral("silence"), QStringLiteral("The broker has fallen silent."), 0, {}});
    // The computer is back: what is left of the wait would help nobody.
    if (hasWoken && m_retryTimer.isActive() && !m_isWaitAsked) dial(QStringLiteral("deny"));
    qint64 nextMs = m_uselessSinceMs ? ReadMs : LookEveryMs;
    if (m_isHeld) nextMs = std::min(nextMs, m_lease.leftMs().value_or(LookEveryMs));
    if (m_link && !m_uselessSinceMs && m_beatDueMs != Never) nextMs = std::min(nextMs, m_beatDueMs - now);
    if (m_link || m_isHeld || m_retryTimer.isActive()) m_lookTimer.start(timerMs(nextMs));
}

/** The lease is gone, and what is told is something else than its end. */
void SeatClient::clearLease()
{
    m_isHeld = false;
    stopReports();
    m_lease.clear();
}

bool SeatClient::send(const QJsonObject &message)
{
    if (!m_link || !m_link->isOpen()) return false;
    m_link->send(message);
    return true;
}

void SeatClient::become(State state)
{
    if (state == m_state) return;
    m_state = state;
    later([this, state] { emit stateChanged(state); });
}

#ifdef SEAT_KIT_PROGRAM
// ---------------------------------------------------------------------------------------------------------------------
// The program of the client kit. Environment: SEAT_URL, SEAT_TOKEN_URL, SEAT_MACHINE_ID, SEAT_MACHINE_NAME. Lines on the standard
// input: takeover, ask, yield MS, refuse, retry, idle MS, active, release, quit. With --machine-id APPLICATION it prints the id of this computer, and ends.

#include <QCoreApplication>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

int main(int count, char **arguments)
{
    QCoreApplication app(count, arguments);
    if (count == 3 && app.arguments().at(1) == QLatin1String("--machine-id")) {
        std::cout << SeatMachine::ofThisComputer(app.arguments().at(2)).id.toStdString() << std::endl;
        return EXIT_SUCCESS;
    }
    QNetworkAccessManager network;
    SeatOptions options;
    options.url = QUrl(qEnvironmentVariable("SEAT_URL"));
    options.machine = {qEnvironmentVariable("SEAT_MACHINE_ID"), qEnvironmentVariable("SEAT_MACHINE_NAME"), {}, {}};
    options.getToken = [&network](const QString &, const SeatOptions::TokenCallback &done) {
        QNetworkReply *reply = network.get(QNetworkRequest(QUrl(qEnvironmentVariable("SEAT_TOKEN_URL"))));
        QObject::connect(reply, &QNetworkReply::finished, reply, [reply, done] {
            const bool isThere = reply->error() == QNetworkReply::NoError;
            done(isThere ? QString::fromUtf8(reply->readAll()).trimmed() : QString(), reply->errorString());
            reply->deleteLater();
        });
        // Without an end of its own a request that hangs would stay for ever.
        QTimer::singleShot(20000, reply, &QNetworkReply::abort);
    };
    options.asks = qEnvironmentVariableIsSet("SEAT_ASKS");
    qint64 workedMs = LeaseClock::nowMs() - qEnvironmentVariable("SEAT_IDLE").toLongLong();
    if (qEnvironmentVariableIsSet("SEAT_IDLE")) options.idleMs = [&workedMs] { return LeaseClock::nowMs() - workedMs; };
    SeatClient client(options);

    bool hasPrinted = false, printed = false;
    const auto look = [&] {
        const bool holds = client.holdsLease();
        if (hasPrinted && holds == printed) return;
        hasPrinted = true;
        printed = holds;
        std::cout << "holds " << (holds ? "true" : "false") << std::endl;
    };
    // Your program locks and unlocks at signals, as here, or asks before it acts. The kit wants to know to a moment.
    QObject::connect(&client, &SeatClient::stateChanged, look);
    QObject::connect(&client, &SeatClient::leaseRenewed, look);
    QObject::connect(&client, &SeatClient::leaseExpired, look);
    if (qEnvironmentVariableIsSet("SEAT_TAKES_FREE")) QObject::connect(&client, &SeatClient::seatFree, &client, &SeatClient::takeIfFree);
    QTimer ticks;
    QObject::connect(&ticks, &QTimer::timeout, look);
    ticks.start(20);
    QObject::connect(&client, &SeatClient::released, &app, &QCoreApplication::quit);

    const auto obey = [&](const std::string &line) {
        if (line == "takeover") client.takeOver();
        if (line == "retry") client.retryNow();
        if (line == "ask") client.ask();
        if (line == "refuse") client.answer(false);
        if (line.rfind("yield ", 0) == 0) client.answer(true, std::stoll(line.substr(6)));
        if (line.rfind("idle ", 0) == 0) workedMs = LeaseClock::nowMs() - std::stoll(line.substr(5));
        if (line == "active") {
            workedMs = LeaseClock::nowMs();
            client.activity();
        }
        if (line == "release") client.release();
        if (line == "quit") {
            client.disconnectFromBroker();
            app.quit();
        }
        look();
    };
    std::thread([&app, obey] {
        for (std::string line; std::getline(std::cin, line);) {
            QMetaObject::invokeMethod(&app, [obey, line] { obey(line); }, Qt::QueuedConnection);
            if (line == "release") return;
        }
        QMetaObject::invokeMethod(&app, [obey] { obey("quit"); }, Qt::QueuedConnection);
    }).detach();

    look();
    client.start();
    app.exec();
    look();
    // Nothing wakes the thread that waits for the next line.
    std::_Exit(EXIT_SUCCESS);
}
#endif

#include "seat_client.moc"

import CSystemd
import LinuxKernel
import Synchronization

/// Tells the service manager how the service is: sd_notify(3).
///
/// Without `NOTIFY_SOCKET` in the environment every call does nothing, so callers need not ask. No call waits: what the
/// manager does not take at once is sent again by the next call.
public final class ServiceNotifier: Sendable {
    /// What the service manager was told, and what it has not taken yet.
    private struct Owed {
        /// READY=1, RELOADING=1 or STOPPING=1 that was not taken; a later one takes its place.
        var state: String?
        var status: String?
        /// The status text that the manager has; nil when it is not known to have any.
        var statusSent: String?
        var lastAttempt: MonotonicTime?
        var lastExtension: MonotonicTime?

        var isOwing: Bool { state != nil || status != statusSent }
    }
    private let owed = Mutex(Owed())
    private let pause: Int64
    private let whenOwing: @Sendable () -> Void
    private let transmit: @Sendable (String) -> Bool

    /// - Parameters:
    ///   - pause: nanoseconds between two status texts, and between two requests for time, at least.
    ///   - whenOwing: called, on whatever thread, when something is left for `flush`.
    public convenience init(pause: Int64 = 0, whenOwing: @escaping @Sendable () -> Void = {}) {
        self.init(pause: pause, whenOwing: whenOwing) { message in
            guard let path = ProcessContext.environmentVariable("NOTIFY_SOCKET") else { return true }
            // Not sd_notify(3), which waits while the socket's queue is full.
            return (try? UnixDatagram.send(Array(message.utf8), to: path)) != nil
        }
    }

    /// - Parameter transmit: sends one message of newline-separated assignments; false when that failed.
    init(
        pause: Int64 = 0, whenOwing: @escaping @Sendable () -> Void = {},
        transmit: @escaping @Sendable (String) -> Bool
    ) {
        self.pause = pause
        self.whenOwing = whenOwing
        self.transmit = transmit
    }

    /// The start, or a reload, is over.
    public func ready(status: String) { tell("READY=1", status) }

    /// A reload begins; `ready` ends it. The time is what `Type=notify-reload` asks for; `Type=notify` ignores it.
    public func reloading(status: String) {
        tell("RELOADING=1\nMONOTONIC_USEC=\(MonotonicTime.now.nanoseconds / 1_000)", status)
    }

    /// The orderly end begins.
    public func stopping(status: String) { tell("STOPPING=1", status) }

    /// The line that `systemctl status` shows. Sent only when it differs from the last one.
    public func status(_ text: String) { tell(nil, text) }

    /// The pipeline moves: puts the watchdog off by another interval.
    public func ping() { _ = transmit("WATCHDOG=1") }

    /// Asks for this much time from now on before a start, a reload's or a stop's timeout strikes.
    ///
    /// Each call counts from its own moment, so a long start repeats it while it progresses.
    public func extendTimeout(nanoseconds: Int64) {
        let isDue = owed.withLock { owed in
            let now = MonotonicTime.now
            if let last = owed.lastExtension, now - last < pause { return false }
            owed.lastExtension = now
            return true
        }
        guard isDue else { return }
        _ = transmit("EXTEND_TIMEOUT_USEC=\(max(nanoseconds / 1_000, 1))")
    }

    /// How long the service manager waits for a `ping` before it kills the service, in nanoseconds; nil when the
    /// watchdog is off (sd_watchdog_enabled(3)).
    public static var watchdogInterval: Int64? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return Int64(clamping: microseconds.multipliedReportingOverflow(by: 1_000).partialValue)
    }

    /// Sends what the manager did not take, and a status text that came too soon after another.
    ///
    /// - Returns: whether something is still left.
    @discardableResult
    public func flush() -> Bool {
        owed.withLock { owed in
            send(&owed, at: .now)
            return owed.isOwing
        }
    }

    private func tell(_ state: String?, _ status: String) {
        let text = StatusText.fitting(status)
        // Sent under the lock: else two threads could leave an older text with the manager than the one noted here.
        owed.withLock { owed in
            owed.status = text
            if let state {
                owed.state = state
                owed.lastAttempt = nil
            }
            send(&owed, at: .now)
            if owed.isOwing { whenOwing() }
        }
    }

    private func send(_ owed: inout Owed, at now: MonotonicTime) {
        var lines = owed.state.map { [$0] } ?? []
        if let status = owed.status, status != owed.statusSent { lines.append("STATUS=" + status) }
        if lines.isEmpty { return }
        if let last = owed.lastAttempt, now - last < pause { return }
        owed.lastAttempt = now
        if transmit(lines.joined(separator: "\n")) {
            owed.state = nil
            owed.statusSent = owed.status
        } else {
            owed.statusSent = nil
        }
    }
}

/// Makes any text fit for STATUS=.
enum StatusText {
    /// Bytes. The manager drops a whole message of more than PIPE_BUF, 4096 bytes (NOTIFY_BUFFER_MAX in systemd's
    /// core/manager.c): half of that leaves room for everything else.
    static let limit = 2_048

    /// `text` in one line, as a newline would start another assignment, and cut at `limit` bytes.
    static func fitting(_ text: String) -> String {
        let line = LogText.escapingControls(text)
        if line.utf8.count <= limit { return line }
        let ellipsis = "…"
        var kept = String.UnicodeScalarView()
        var size = ellipsis.utf8.count
        for scalar in line.unicodeScalars {
            size += UTF8.width(scalar)
            if size > limit { break }
            kept.append(scalar)
        }
        return String(kept) + ellipsis
    }
}

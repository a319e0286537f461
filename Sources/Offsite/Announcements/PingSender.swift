import LinuxKernel

/// Sends pings, one at a time, and waits for none of them while others work.
public final class PingSender {
    private let target: PingTarget
    private var running: BackgroundPush?
    /// The latest that waits for the one that is under way: what it is about is over for an earlier one.
    private var next: Ping?

    public init(_ target: PingTarget) { self.target = target }

    /// Sends a ping as soon as the one before is through.
    public func send(_ ping: Ping) {
        // A start is of no use to anybody once the result is there, but never the other way round.
        if ping == .start, next != nil { return }
        next = ping
    }

    public enum Outcome: Equatable, Sendable {
        case delivered
        /// Why not.
        case failed(MetricsFailure)
    }

    /// Goes on; to be called about once a second. Never waits.
    ///
    /// - Returns: what became of a ping that was under way; nil: nothing new.
    public func poll() -> Outcome? {
        var outcome: Outcome?
        if case .ended(let failure)? = running?.poll() {
            running = nil
            outcome = failure.map(Outcome.failed) ?? .delivered
        }
        guard running == nil, let ping = next else { return outcome }
        next = nil
        guard let request = target.request(ping) else { return outcome }
        do throws(MetricsFailure) { running = try BackgroundPush(request) } catch { return .failed(error) }
        return outcome
    }

    /// There is nothing to be sent any more, and nothing under way.
    public var isIdle: Bool { running == nil && next == nil }
}

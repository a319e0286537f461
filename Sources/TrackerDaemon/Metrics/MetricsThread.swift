import LinuxKernel
import Logging
import Synchronization
import SystemPackage

/// Writes the tracker's metrics where node_exporter's textfile collector finds them, on a thread of its own: a directory
/// that is missing, full or does not answer stops nothing else.
final class MetricsThread: Sendable {
    private struct State {
        /// nil: nothing is written.
        var directory: [UInt8]?
        /// Where a file is that is not written any more.
        var former: [UInt8]?
        var isStopping = false
        /// Why the last try failed.
        var failure: String?
        var busySince: MonotonicTime?
    }
    private let state: Mutex<State>
    private let collect: @Sendable (_ isStopping: Bool) -> TrackerFigures
    private let log: Logger
    private let order: WakeUp
    private let orders: EventPoll
    private let end: WakeUp
    private let ends: EventPoll
    private let thread: Mutex<KernelThread?> = Mutex(nil)

    /// Milliseconds between two writes.
    private static let interval: Int32 = 15_000
    /// Nanoseconds that a write may take before it is a reason to be degraded.
    private static let patience: Int64 = 60_000_000_000

    /// - Parameter collect: takes the figures; called on the thread.
    init(
        directory: [UInt8]?, log: Logger, collect: @escaping @Sendable (_ isStopping: Bool) -> TrackerFigures
    ) throws(Errno) {
        state = Mutex(State(directory: directory))
        self.collect = collect
        self.log = log
        order = try WakeUp()
        orders = try EventPoll()
        end = try WakeUp()
        ends = try EventPoll()
        try orders.add(order.descriptor.number, for: .readable, tag: 0)
        try ends.add(end.descriptor.number, for: .readable, tag: 0)
    }

    func start() { thread.withLock { $0 = KernelThread(name: "metrics") { [self] in run() } } }

    /// Goes on in another directory, or nowhere.
    func reconfigure(directory: [UInt8]?) {
        state.withLock { state in
            guard state.directory != directory else { return }
            state.former = state.former ?? state.directory
            state.directory = directory
        }
        order.signal()
    }

    /// Writes that the tracker ends. A directory that does not answer is not waited for.
    func stop() {
        state.withLock { $0.isStopping = true }
        order.signal()
        _ = try? ends.wait(milliseconds: 500)
    }

    /// What is wrong, with its remedy.
    var reasons: [String] {
        let now = MonotonicTime.now
        return state.withLock { state in
            if let since = state.busySince, now - since > Self.patience {
                return ["metrics: \(OctalEscapes.display(state.directory ?? [])) does not answer"]
            }
            return state.failure.map { [$0] } ?? []
        }
    }

    static func path(in directory: [UInt8]) -> [UInt8] { directory + Array("/nfs-change-tracker.prom".utf8) }

    private func run() {
        while true {
            let now = state.withLock { state in
                defer {
                    state.former = nil
                    state.busySince = .now
                }
                return state
            }
            if let former = now.former { try? FileSystemLook.remove(Self.path(in: former)) }
            var failure: String?
            if let directory = now.directory {
                let figures = collect(now.isStopping)
                failure = write(figures.exposition, in: directory)
            }
            tell(failure, insteadOf: now.failure)
            state.withLock { state in
                state.failure = failure
                state.busySince = nil
            }
            if now.isStopping { return end.signal() }
            _ = try? orders.wait(milliseconds: now.directory == nil ? nil : Self.interval)
            order.clear()
        }
    }

    /// - Returns: why not.
    private func write(_ text: [UInt8], in directory: [UInt8]) -> String? {
        do throws(Errno) {
            // All may read it: the collector runs as another user.
            try replaceFile(Self.path(in: directory), with: text, permissions: 0o644)
            return nil
        } catch {
            let remedy =
                switch error {
                case .noSuchFileOrDirectory: "make it, or correct textfile_directory"
                case .readOnlyFileSystem:
                    "restart the service; one elsewhere than by default has to be in its ReadWritePaths="
                default: "mend it, or correct textfile_directory"
                }
            return "metrics: not written to \(OctalEscapes.display(directory)) (\(error)): \(remedy)"
        }
    }

    private func tell(_ failure: String?, insteadOf former: String?) {
        guard failure != former else { return }
        if let failure { log.warning("\(failure)") } else { log.notice("metrics are written again") }
    }
}

import ChangeStore
import LinuxKernel
import Offsite

/// What ends a run of the worker: a signal, its window when that closes, or `changes sync pause`.
final class WorkerStop: StopSignal {
    private let signals: SignalStop
    private let windows: [TimeWindow]
    private let consumer: Consumer
    private var nextLook = MonotonicTime(nanoseconds: 0)
    private var isBarred = false

    /// Milliseconds between two looks at the clock and at the consumer's file.
    private static let interval: Int64 = 500

    /// - Parameter windows: when it may run; empty: always.
    init(_ signals: SignalStop, windows: [TimeWindow] = [], consumer: Consumer) {
        self.signals = signals
        self.windows = windows
        self.consumer = consumer
    }

    var descriptor: CInt { signals.descriptor }

    func isRequested() -> Bool {
        if signals.isRequested() { return true }
        let now = MonotonicTime.now
        if now >= nextLook {
            nextLook = now.advanced(milliseconds: Self.interval)
            isBarred = !windows.isOpen() || SyncSwitch.isPaused(consumer)
        }
        return isBarred
    }
}

extension [TimeWindow] {
    /// Whether transfers may run at a moment.
    func isOpen(at moment: Timestamp = .now) -> Bool {
        if isEmpty { return true }
        let seconds = moment.nanoseconds / 1_000_000_000
        let local = CivilTime(clockSeconds: seconds + Int64(LocalTime.secondsAheadOfUTC(at: seconds)))
        return contains { $0.contains(minute: local.hour * 60 + local.minute) }
    }
}

import LinuxKernel
import Offsite

/// Ends a transfer when its window closes, too.
final class WindowedStop: StopSignal {
    private let signals: SignalStop
    private let windows: [TimeWindow]

    init(_ signals: SignalStop, _ windows: [TimeWindow]) {
        self.signals = signals
        self.windows = windows
    }

    var descriptor: CInt { signals.descriptor }

    func isRequested() -> Bool { signals.isRequested() || !Self.isOpen(windows) }

    /// Whether transfers may run now.
    static func isOpen(_ windows: [TimeWindow], at moment: Timestamp = .now) -> Bool {
        if windows.isEmpty { return true }
        let seconds = moment.nanoseconds / 1_000_000_000
        let local = CivilTime(clockSeconds: seconds + Int64(LocalTime.secondsAheadOfUTC(at: seconds)))
        return windows.contains { $0.contains(minute: local.hour * 60 + local.minute) }
    }
}

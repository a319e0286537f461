import ChangeStore
import LinuxKernel

/// Decides when so much is overwritten that somebody has to allow it (`max_overwrite`): encrypting malware and runaway
/// jobs rewrite what there is.
///
/// Existing files that are overwritten within `delete_window` are held where they are twenty or more and more than
/// `max_overwrite` of all bytes. What usually is overwritten counts no more: a file that already was, half a window before
/// or earlier. Once some are held, all are until somebody allows it.
struct OverwriteRule {
    /// Percent; 100: nothing is held.
    let percent: Double

    static let fewest: Int64 = 20

    /// Nanoseconds.
    let window: Int64

    /// Nanoseconds between two overwrites of a file that make it one that usually is.
    var pause: Int64 { window / 2 }

    /// Whether a file that is to be overwritten is to be added to what was overwritten within the window.
    ///
    /// - Parameter times: when it was, the first time and the last; nil: never.
    func counts(_ times: (first: Timestamp, last: Timestamp)?, at now: Timestamp) -> Bool {
        guard let times else { return true }
        let isUsual = times.first <= now.advanced(by: -pause)
        let isCounted = times.last > now.advanced(by: -window)
        return !isUsual && !isCounted
    }

    var isOff: Bool { percent >= 100 }

    /// - Parameter existing: all bytes that there are, or a part of them.
    func isTooMuch(_ overwritten: PathAmounts, of existing: Int64) -> Bool {
        !isOff && overwritten.paths >= Self.fewest
            && Double(overwritten.bytes) > Double(max(existing, overwritten.bytes)) * percent / 100
    }
}

import Glibc
import LinuxKernel
import Testing

/// A moment by which a condition has to hold. Tests wait for conditions, never for a length of time.
struct Deadline {
    let moment: MonotonicTime

    /// `seconds` from now.
    init(_ seconds: Double) { moment = MonotonicTime.now.advanced(milliseconds: Int64(seconds * 1_000)) }

    var isOver: Bool { moment < MonotonicTime.now }
}

/// Polls `condition` until it holds or the time is over.
///
/// - Returns: whether it held.
func wait(
    atMost seconds: Double, every milliseconds: Int = 10, until condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = Deadline(seconds)
    while true {
        let late = deadline.isOver
        if try condition() { return true }
        if late { return false }
        pause(milliseconds: milliseconds)
    }
}

/// The pace of a poll or of a writer; never a wait for something to have happened.
func pause(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    var rest = timespec()
    while nanosleep(&time, &rest) == -1 && errno == EINTR { time = rest }
}

/// Seconds that `body` took.
func measured(_ body: () throws -> Void) rethrows -> Double {
    let start = MonotonicTime.now
    try body()
    return Double(MonotonicTime.now - start) / 1e9
}

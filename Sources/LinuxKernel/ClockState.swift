import CLinux
import Glibc

/// Whether somebody keeps the wall clock right.
public enum ClockState {
    /// Whether it is synchronised to a reliable source, as the kernel was told by who disciplines it; nil when it
    /// cannot be asked. adjtimex(2) without a mode changes nothing.
    public static var isSynchronized: Bool? {
        var question = timex()
        let state = adjtimex(&question)
        return state == -1 ? nil : state != TIME_ERROR && question.status & STA_UNSYNC == 0
    }
}

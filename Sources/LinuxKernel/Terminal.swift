import CLinux
import Glibc

/// What stands behind a descriptor that text is written to.
public enum Terminal {
    /// Whether it is a terminal: isatty(3).
    public static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

    /// Columns of the terminal: TIOCGWINSZ of ioctl_tty(2); nil where it is none, or does not tell.
    public static func columns(_ descriptor: CInt) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

import CLinux
import Glibc
public import SystemPackage

/// What a thread is doing, by the state letter of `/proc/self/task/TID/stat` (proc(5)).
public enum ThreadState: UInt8, Sendable {
    case running = 0x52  // R
    case sleeping = 0x53  // S
    /// Uninterruptible sleep: waits for a disk, or for a server on a hard-mounted NFS. No signal wakes it, so a
    /// kill of the process would end nothing and help nobody.
    case waitingForDisk = 0x44  // D
    case stopped = 0x54  // T
    case traced = 0x74  // t
    case idle = 0x49  // I
    case zombie = 0x5A  // Z
    case dead = 0x58  // X
}

extension ThreadState {
    /// The state of a thread of this process.
    ///
    /// - Parameter thread: the kernel's number of the thread, as `KernelThread.identifier`.
    /// - Throws: the errno of openat(2) or read(2), `ENOENT` for a thread that has ended; `EILSEQ` for a state
    ///   that this list does not know.
    public static func of(thread: Int32) throws(Errno) -> ThreadState {
        let file = try OwnedDescriptor.open(Array("/proc/self/task/\(thread)/stat".utf8), flags: O_RDONLY)
        guard let state = try ThreadState(stat: file.readToEnd()) else { throw .illegalByteSequence }
        return state
    }

    /// The third field of a `stat` line. The second is the thread's name in parentheses, in which anything may
    /// stand, also `) D `: so the field after the last parenthesis.
    public init?(stat: [UInt8]) {
        guard let parenthesis = stat.lastIndex(of: UInt8(ascii: ")")), parenthesis + 2 < stat.count else { return nil }
        self.init(rawValue: stat[parenthesis + 2])
    }
}

/// The kernel's number of the calling thread: gettid(2).
public func currentThreadIdentifier() -> Int32 { clinux_gettid() }

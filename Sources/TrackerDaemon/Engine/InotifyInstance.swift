import LinuxKernel
public import SystemPackage

/// The one inotify instance: read by the reader's thread, given watches by the tracker's.
public final class InotifyInstance: Sendable {
    let inotify: Inotify
    public init() throws(Errno) { inotify = try Inotify() }
}

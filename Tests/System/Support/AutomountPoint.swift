import Glibc
import LinuxKernel

/// An autofs mount, which the kernel makes without a file server or a daemon, and which counts as foreign like NFS.
final class AutomountPoint {
    private let path: Path
    private let pipe: Pipe

    init(at path: Path) throws {
        self.path = path
        pipe = try Pipe()
        // Processes of the group `pgrp` may look into it without asking the daemon (autofs4-mount-control.rst).
        let options = "fd=\(pipe.writer.number),pgrp=\(getpgrp()),minproto=5,maxproto=5,indirect"
        try Disk.check("mount", path) { mount("changes-test", $0, "autofs", 0, options) }
    }

    deinit { _ = path.withCString { umount2($0, CInt(MNT_DETACH)) } }
}

import CLinux
import Glibc
import Synchronization
public import SystemPackage

/// The calling thread's own view of the mounts (mount_namespaces(7)), and a new root for it.
///
/// These calls need CAP_SYS_ADMIN, and are for the main thread of a process that is about to call `ProcessImage.replace`:
/// other threads keep the old view.
public enum MountNamespace {
    /// Leaves the namespace of the process's starter. From then on nothing that is mounted or unmounted on either side
    /// shows on the other: unshare(2), then private propagation of everything.
    ///
    /// - Throws: the errno of unshare(2) (`EPERM` without the privilege) or mount(2).
    public static func enterPrivate() throws(Errno) {
        try systemCall { unshare(CLONE_NEWNS) }
        try systemCall { mount(nil, "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
    }

    /// Whether `enterPrivate` is allowed: tried on a thread that ends with it.
    public static var isAvailable: Bool {
        guard geteuid() == 0 else { return false }
        let answer = Answer()
        KernelThread(name: "namespace") {
            guard (try? enterPrivate()) != nil else { return }
            answer.isYes.store(true, ordering: .releasing)
        }.join()
        return answer.isYes.load(ordering: .acquiring)
    }

    /// Mounts an empty tmpfs over a directory and enters it.
    ///
    /// - Parameter options: as in tmpfs(5): `size=64k,mode=755`.
    /// - Throws: the errno of mount(2) or chdir(2).
    public static func enterTemporary(over directory: String, options: String) throws(Errno) {
        let flags = UInt(MS_NOSUID | MS_NODEV)
        try systemCall { mount("tmpfs", directory, "tmpfs", flags, options) }
        try systemCall { chdir(directory) }
    }

    /// Makes the mount that the working directory is the top of the root, and unmounts everything else
    /// (pivot_root(2), its last example).
    ///
    /// - Throws: the errno of pivot_root(2) (`EINVAL` where the old root is no mount point, as in some chroots),
    ///   umount2(2) or chdir(2).
    public static func makeWorkingDirectoryRoot() throws(Errno) {
        try systemCall { clinux_pivot_root(".", ".") }
        try systemCall { umount2(".", CInt(MNT_DETACH)) }
        try systemCall { chdir("/") }
    }

    /// Forbids writing to the mount at "/" itself, nosuid and nodev.
    ///
    /// - Throws: the errno of mount(2).
    public static func makeRootReadOnly() throws(Errno) {
        let flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
        try systemCall { mount(nil, "/", nil, UInt(flags), nil) }
    }
}

/// What a thread found out.
private final class Answer: Sendable {
    let isYes = Atomic<Bool>(false)
}

import CLinux
import Glibc
public import SystemPackage

extension ProcessContext {
    /// The path of this process's program: `/proc/self/exe`. Where an update has removed it, that of what took its place.
    ///
    /// - Throws: the errno of readlink(2).
    public static func program() throws(Errno) -> [UInt8] {
        let path = try readLink(Array("/proc/self/exe".utf8))
        let mark = Array(" (deleted)".utf8)
        return path.reversed().starts(with: mark.reversed()) ? path.dropLast(mark.count) : path
    }

    /// The files of the shared libraries that this process has loaded, each once: `/proc/self/maps` (proc(5)).
    ///
    /// - Throws: the errno of openat(2) or read(2).
    public static func loadedLibraries() throws(Errno) -> [[UInt8]] {
        let text = try OwnedDescriptor.open(Array("/proc/self/maps".utf8), flags: O_RDONLY).readToEnd()
        var files: Set<[UInt8]> = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let slash = line.firstIndex(of: UInt8(ascii: "/")) else { continue }
            // Of a library that an update removed, the new one would be loaded, or none.
            files.insert(Array(line[slash...]))
        }
        files.remove(try program())
        return files.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// A descriptor that is readable, for whoever has it, once this process has ended (pidfd_open(2), Linux 5.3).
    ///
    /// - Throws: the errno of pidfd_open(2).
    public static func ownDescriptor() throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(owning: try systemCall { clinux_pidfd_open(getpid()) })
    }
}

import CLinux
import Glibc
import SystemPackage

/// The processes that this one can see, by `/proc` (proc(5)). A process may end at any moment: every answer is empty or
/// nil then.
public enum ProcessList {
    public static var identifiers: [pid_t] {
        FileSystemLook.names(in: Array("/proc".utf8)).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }

    /// The name of the program, at most 15 bytes.
    public static func name(of process: pid_t) -> [UInt8]? { KernelSetting.line(of: "/proc/\(process)/comm") }

    /// The arguments; a process may have overwritten them.
    public static func arguments(of process: pid_t) -> [[UInt8]] {
        guard let file = try? OwnedDescriptor.open(Array("/proc/\(process)/cmdline".utf8), flags: O_RDONLY),
            let text = try? file.readToEnd()
        else { return [] }
        let end = text.last == 0 ? text.dropLast() : text[...]
        return end.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// The text of its `cgroup` file (cgroups(7)).
    public static func controlGroups(of process: pid_t) -> [UInt8] {
        guard let file = try? OwnedDescriptor.open(Array("/proc/\(process)/cgroup".utf8), flags: O_RDONLY) else {
            return []
        }
        return (try? file.readToEnd()) ?? []
    }

    /// The user whom it runs as.
    public static func owner(of process: pid_t) -> uid_t? {
        let path = Array("/proc/\(process)".utf8)
        let status = try? withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }
        return status?.owner
    }

    /// How many inotify watches it has; 0 where its descriptors may not be looked at.
    public static func watches(of process: pid_t) -> Int {
        let directory = "/proc/\(process)/fd"
        return FileSystemLook.names(in: Array(directory.utf8)).reduce(0) { total, number in
            let number = String(decoding: number, as: UTF8.self)
            guard FileSystemLook.linkTarget(Array("\(directory)/\(number)".utf8)) == Array("anon_inode:inotify".utf8),
                let file = try? OwnedDescriptor.open(
                    Array("/proc/\(process)/fdinfo/\(number)".utf8), flags: O_RDONLY),
                let text = try? file.readToEnd()
            else { return total }
            return total + text.split(separator: UInt8(ascii: "\n")).count { $0.starts(with: "inotify ".utf8) }
        }
    }
}

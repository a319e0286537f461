import Glibc

/// Kernel settings, and what else one reads from files that the kernel makes up.
public enum KernelSetting {
    /// The number in a file below `/proc/sys`; nil where there is none.
    ///
    /// - Parameter name: with slashes, such as `fs/inotify/max_user_watches`.
    public static func integer(_ name: String) -> Int? {
        line(of: "/proc/sys/" + name).flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    /// The first line of a file without its end; nil when it cannot be read.
    public static func line(of path: String) -> [UInt8]? {
        guard let file = try? OwnedDescriptor.open(Array(path.utf8), flags: O_RDONLY), let text = try? file.readToEnd()
        else { return nil }
        return Array(text.prefix { $0 != UInt8(ascii: "\n") })
    }
}

import Glibc

/// How many inotify watches a user may have: `fs.inotify.max_user_watches` (inotify(7)).
public enum WatchLimit {
    /// nil where /proc does not tell.
    public static var current: Int? {
        guard
            let file = try? OwnedDescriptor.open(Array("/proc/sys/fs/inotify/max_user_watches".utf8), flags: O_RDONLY),
            let text = try? file.readToEnd()
        else { return nil }
        return Int(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

import Glibc

/// How many inotify watches a user may have: `fs.inotify.max_user_watches` (inotify(7)).
public enum WatchLimit {
    /// nil where /proc does not tell.
    public static var current: Int? { KernelSetting.integer("fs/inotify/max_user_watches") }

    /// A limit to set for so many directories, above the `current` one: room to grow, twice the directories, in powers
    /// of two.
    public static func suggested(for directories: Int, above current: Int?) -> Int {
        var limit = 524_288
        while limit < max(directories * 2, (current ?? 0) + 1) { limit *= 2 }
        return limit
    }
}

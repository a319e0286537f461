import LinuxKernel

/// Decides how long lines wait for each other while something new is being built.
///
/// A directory that is new is being filled, and its maker sets its times when it is full: rsync, tar and `cp -a` do.
/// A line appended in between would have to be repeated. So from the first new directory on, lines are gathered
/// until nothing more comes, or the oldest has waited for as long as a line may.
struct LineGathering: Sendable {
    /// A new directory to which nothing came for so long, in milliseconds, stays alone. The tracker records what happens
    /// without a pause every 50 ms, and a lone change has to be in the log after 200 ms.
    static let alone: Int64 = 80
    /// Rows that come together and may be somebody's only ones: more are the beginning of something.
    static let few: Int64 = 4
    /// Who was at work has paused for so long, in milliseconds: a disk that is busy makes rsync wait about as long.
    static let pause: Int64 = 250
    /// The oldest line has waited for so long, in milliseconds: less than the second that is promised, by what the
    /// looks, the commit and the append take.
    static let longest: Int64 = 800

    private struct Waiting {
        let since: MonotonicTime
        var latest: MonotonicTime
        var isAlone: Bool
    }
    private var waiting: Waiting?

    /// When the lines have to be appended; nil when they do not wait.
    var due: MonotonicTime? {
        waiting.map { waiting in
            min(
                waiting.since.advanced(milliseconds: Self.longest),
                waiting.latest.advanced(milliseconds: waiting.isAlone ? Self.alone : Self.pause))
        }
    }

    /// Further rows came.
    ///
    /// - Parameters:
    ///   - rows: how many, at most.
    ///   - isGrowing: a new directory is among them.
    ///   - since: when the first of them was there to be appended.
    mutating func note(rows: Int64, isGrowing: Bool, since: MonotonicTime, at now: MonotonicTime) {
        if waiting != nil {
            waiting?.latest = now
            waiting?.isAlone = false
        } else if isGrowing {
            waiting = Waiting(since: since, latest: now, isAlone: rows <= Self.few)
        }
    }

    /// Everything that waited is in the log.
    mutating func end() { waiting = nil }
}

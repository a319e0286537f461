import Offsite

/// How far a transfer is, for people: `12 of 345 files  1.19 MiB  34%  5.59 MiB/s  0:00:12 left`.
enum ProgressText {
    /// What is not known is left out; `345+ files` are at least as many.
    static func of(_ progress: RsyncProgress) -> String {
        var parts: [String] = []
        if let files = progress.files {
            parts.append("\(files.done) of \(files.total)\(files.isTotalKnown ? "" : "+") files")
        }
        parts.append(ByteSizeText.approximate(progress.bytes))
        parts.append("\(progress.percent)%")
        parts.append(ByteSizeText.approximate(progress.rate) + "/s")
        if let seconds = progress.secondsLeft { parts.append(clock(seconds) + " left") }
        return parts.joined(separator: "  ")
    }

    /// `0:00:12`, which keeps its width while it counts down.
    private static func clock(_ seconds: Int64) -> String {
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(seconds / 3_600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}

import Glibc

/// Weekly trees of hard links that come and go while something else happens: made with `cp -al` or
/// `rsync --link-dest`, removed file by file, renamed, and written in place with the time put back. What is done follows
/// from a seed; when, from the machine.
final class WeekRotation {
    private let root: Path
    private let docroot: Path
    private var random: SplitMix64
    private var weeks: [Path] = []
    private var count = 0

    private static let kept = 4
    private static let files = 90

    /// - Parameters:
    ///   - root: an existing empty directory that is tracked.
    ///   - scratch: an existing directory of the same file system that is not.
    init(seed: UInt64, root: Path, scratch: Path) throws {
        self.root = root
        docroot = scratch / "docroot"
        random = SplitMix64(seed: seed &+ 77)
        try Disk.makeDirectory(docroot)
        for directory in 0..<3 { try Disk.makeDirectory(docroot / Path("d\(directory)")) }
        for number in 0..<Self.files { try write(number) }
    }

    private func write(_ number: Int) throws {
        let path = docroot / Path("d\(number % 3)/f\(number)")
        // A new inode, as a program makes it that replaces its files.
        try Disk.unlink(path, ifThere: true)
        try Disk.write(path, (0..<5_000).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    /// Starts one round; wait for its end before the source is compared with anything.
    ///
    /// - Parameter isPaced: it takes some hundred milliseconds, as over a network.
    func launch(isPaced: Bool) throws -> ChildProcess {
        for _ in 0..<Int.random(in: 0...5, using: &random) { try write(Int.random(in: 0..<Self.files, using: &random)) }
        var lines = ["set -e"]
        let pause = isPaced ? "sleep 0.00\(Int.random(in: 0...4, using: &random))" : ":"
        if let last = weeks.last, Int.random(in: 0..<6, using: &random) == 0 {
            // Somebody renames a week; the next is linked to it all the same.
            count += 1
            let renamed = root / Path("r\(count)")
            lines.append("mv \(last) \(renamed)")
            weeks[weeks.count - 1] = renamed
        }
        count += 1
        let week = root / Path("w\(count)")
        var make: [String] = []
        if let last = weeks.last {
            if Bool.random(using: &random) {
                make = ["cp -al \(last) \(week)", "rsync -aH --delete \(docroot)/ \(week)/"]
            } else {
                make = ["rsync -aH --delete --link-dest=\(last) \(docroot)/ \(week)/"]
            }
        } else {
            make = ["rsync -aH \(docroot)/ \(week)/"]
        }
        var remove: [String] = []
        if weeks.count >= Self.kept {
            let oldest = weeks.removeFirst()
            remove = ["find \(oldest) -type f | while read -r f; do rm \"$f\"; \(pause); done", "rm -r \(oldest)"]
        }
        weeks.append(week)
        // One after the other in either order, or both at once.
        switch Int.random(in: 0..<3, using: &random) {
        case 0: lines += make + remove
        case 1: lines += remove + make
        default: lines += ["( \((remove + [":"]).joined(separator: "; ")) ) &"] + make + ["wait"]
        }
        if Bool.random(using: &random) {
            let number = Int.random(in: 0..<Self.files, using: &random)
            let file = week / Path("d\(number % 3)/f\(number)")
            let reference = docroot + ".time"
            lines += [
                "touch -r \(file) \(reference)", "head -c 100 /dev/urandom | dd of=\(file) conv=notrunc 2>/dev/null",
                "touch -r \(reference) \(file)",
            ]
        }
        return try ChildProcess(
            ["sh", "-c", lines.joined(separator: "\n")],
            output: (docroot + ".out", docroot + ".err"))
    }

    /// What the rounds complained of.
    var errors: String {
        (try? Disk.read(docroot + ".err")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

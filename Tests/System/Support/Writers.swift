import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// Threads that make nested directories and files as fast as they can, and one that renames directories under them.
final class Writers: Sendable {
    private let root: Path
    private let threads = Mutex<[KernelThread]>([])
    private let failures = Mutex<[String]>([])
    private let made = Atomic<Int>(0)
    private let active = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)

    /// Files made so far.
    var fileCount: Int { made.load(ordering: .relaxed) }
    var isFinished: Bool { active.load(ordering: .acquiring) == 0 }
    var errors: [String] { failures.withLock { $0 } }

    /// Starts them.
    ///
    /// - Parameters:
    ///   - files: in total, spread over the writers.
    ///   - renaming: whether directories are renamed meanwhile.
    ///   - tag: part of all names, so that storms can follow each other in one root.
    init(root: Path, files: Int, writers: Int = 8, renaming: Bool = false, tag: String = "w") {
        self.root = root
        active.store(writers, ordering: .releasing)
        for number in 0..<writers {
            let share = files / writers + (number < files % writers ? 1 : 0)
            launch("writer-\(number)") { writer in
                writer.attempt { try writer.write(Path("\(tag)\(number)"), files: share) }
                writer.active.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
        if renaming {
            launch("renamer") { writer in
                var round = 0
                while !writer.isFinished {
                    round += 1
                    for number in 0..<writers { writer.renameDirectories(Path("\(tag)\(number)"), round) }
                    pause(milliseconds: 1)
                }
            }
        }
    }

    private func launch(_ name: String, _ body: @escaping @Sendable (Writers) -> Void) {
        let thread = KernelThread(name: name) { [self] in body(self) }
        threads.withLock { $0.append(thread) }
    }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { failures.withLock { $0.append("\(error)") } }
    }

    /// Ends the storm early.
    func stop() { isStopped.store(true, ordering: .releasing) }

    /// Waits until all have finished.
    func join() {
        for thread in threads.withLock({ threads in
            defer { threads = [] }
            return threads
        }) { thread.join() }
    }

    /// One writer: 40 files to a directory, up to four directories deep, all relative to a descriptor, so that a
    /// rename of what is above does not disturb it.
    private func write(_ name: Path, files: Int) throws {
        let top = root / name
        if !Disk.exists(top) { try Disk.makeDirectory(top) }
        var number = 0
        while number < files && !isStopped.load(ordering: .relaxed) {
            var held = try Self.open(top, at: AT_FDCWD)
            for level in 0...(number / 40 % 4) {
                let directory = Path("d\(number / 40)-\(level)")
                try Self.call("mkdirat", directory) { mkdirat(held.number, $0, 0o755) }
                // The renamer may have been faster: then this chain ends a level above.
                guard let next = try? Self.open(directory, at: held.number) else { break }
                held = next
            }
            for _ in 0..<min(40, files - number) {
                let file = Path("f\(number)")
                let descriptor = try Self.call("openat", file) {
                    openat(held.number, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
                }
                _ = Glibc.write(descriptor, "content", 7)
                close(descriptor)
                if number % 16 == 0 {
                    let renamed = Path("r\(number)")
                    try Self.call("renameat", file) { old in
                        renamed.withCString { renameat(held.number, old, held.number, $0) }
                    }
                }
                number += 1
                made.add(1, ordering: .relaxed)
            }
        }
    }

    private func renameDirectories(_ name: Path, _ round: Int) {
        let top = root / name
        guard let opened = try? Self.open(top, at: AT_FDCWD), let stream = fdopendir(dup(opened.number)) else { return }
        defer { closedir(stream) }
        for entry in Disk.names(in: stream).suffix(3) where entry.bytes.starts(with: Array("d".utf8)) {
            let old = top / entry
            let new = top / (entry + Path("-m\(round)"))
            _ = try? Disk.rename(old, entry.bytes.count > 60 ? top / Path("d-\(round)-\(entry.bytes.count)") : new)
        }
    }

    private static func open(_ path: Path, at directory: Int32) throws -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try call("openat", path) { openat(directory, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    @discardableResult
    private static func call(_ name: String, _ path: Path, _ body: (UnsafePointer<CChar>) -> Int32) throws -> Int32 {
        try Disk.check(name, path, body)
    }
}

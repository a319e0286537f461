import Testing

@testable import Tracking

/// A file system in memory: absolute paths and what is there. Parents are added by themselves.
private struct FakeTree: DirectoryOracle {
    private var kinds: [String: RootSearch.Kind] = ["/": .directory]
    private var unlistable: Set<String> = []
    private var hidesTypes = false

    init(
        directories: [String] = [], files: [String] = [], symlinks: [String] = [], unlistable: [String] = [],
        unreadable: [String] = [], hidesTypes: Bool = false
    ) {
        for path in directories + unlistable { add(path, .directory) }
        for path in files { add(path, .other) }
        for path in symlinks { add(path, .symlink) }
        for path in unreadable { add(path, .unreadable(13)) }
        self.unlistable = Set(unlistable)
        self.hidesTypes = hidesTypes
    }

    private mutating func add(_ path: String, _ kind: RootSearch.Kind) {
        let parts = path.split(separator: "/")
        for end in 1..<parts.count where parts.count > 1 {
            kinds["/" + parts[..<end].joined(separator: "/"), default: .directory] = .directory
        }
        kinds[path] = kind
    }

    func kind(of path: [UInt8]) -> RootSearch.Kind { kinds[String(decoding: path, as: UTF8.self)] ?? .missing }

    func entries(of path: [UInt8]) -> RootSearch.Listing {
        let directory = String(decoding: path, as: UTF8.self)
        guard kinds[directory] == .directory else { return .missing }
        if unlistable.contains(directory) { return .unreadable(13) }
        let prefix = directory == "/" ? "/" : directory + "/"
        return .entries(
            kinds.compactMap { path, kind in
                guard path.hasPrefix(prefix), path != "/", !path.dropFirst(prefix.count).contains("/") else {
                    return nil
                }
                return .init(
                    name: Array(path.dropFirst(prefix.count).utf8), isDirectory: hidesTypes ? nil : kind == .directory)
            })
    }
}

@Suite("The search for roots")
struct RootSearchTests {
    private func search(_ patterns: String..., in tree: FakeTree) throws -> RootSearch {
        var tree = tree
        var parsed: [RootPattern] = []
        for pattern in patterns { parsed.append(try RootPattern(Array(pattern.utf8))) }
        return RootSearch(parsed, in: &tree)
    }

    private func text(_ paths: [[UInt8]]) -> [String] { paths.map { String(decoding: $0, as: UTF8.self) } }

    @Test("finds what a glob matches, and watches the directory of the glob", arguments: [false, true])
    func glob(hidesTypes: Bool) throws {
        let found = try search(
            "/srv/nfs/*-backup",
            in: FakeTree(
                directories: ["/srv/nfs/b-backup", "/srv/nfs/a-backup", "/srv/nfs/other", "/srv/nfs/.c-backup"],
                files: ["/srv/nfs/file-backup"], hidesTypes: hidesTypes))
        #expect(text(found.roots) == ["/srv/nfs/a-backup", "/srv/nfs/b-backup"])
        #expect(text(found.watched) == ["/srv/nfs"])
        #expect(text(found.passed) == ["/", "/srv"])
        #expect(found.notes.isEmpty)
    }

    @Test("watches the nearest directory that exists")
    func missingPrefix() throws {
        let pattern = try RootPattern(Array("/srv/nfs/*-backup".utf8))
        let found = try search("/srv/nfs/*-backup", in: FakeTree(directories: ["/srv"]))
        #expect(found.roots.isEmpty)
        #expect(text(found.watched) == ["/srv"])
        #expect(text(found.passed) == ["/"])
        #expect(found.notes == [.unmatched(pattern)])
    }

    @Test("watches the parent of a literal root")
    func literal() throws {
        let found = try search("/srv/nfs/data", in: FakeTree(directories: ["/srv/nfs/data"]))
        #expect(text(found.roots) == ["/srv/nfs/data"])
        #expect(text(found.watched) == ["/srv/nfs"])
        let absent = try search("/srv/nfs/data", in: FakeTree(directories: ["/srv/nfs"]))
        #expect(text(absent.watched) == ["/srv/nfs"])
    }

    @Test("watches each directory in which a name of a middle glob could get the rest")
    func globInTheMiddle() throws {
        let found = try search(
            "/srv/*/backup", in: FakeTree(directories: ["/srv/a/backup", "/srv/b", "/srv/c/backup/x"]))
        #expect(text(found.roots) == ["/srv/a/backup", "/srv/c/backup"])
        #expect(text(found.watched) == ["/srv", "/srv/a", "/srv/b", "/srv/c"])
        #expect(text(found.passed) == ["/"])
    }

    @Test("never follows a symlink, and says so")
    func symlinks() throws {
        let pattern = try RootPattern(Array("/link/*-backup".utf8))
        let found = try search(
            "/srv/*-backup", "/link/*-backup",
            in: FakeTree(directories: ["/srv/a-backup"], symlinks: ["/srv/b-backup", "/srv/unrelated", "/link"]))
        #expect(text(found.roots) == ["/srv/a-backup"])
        #expect(text(found.watched) == ["/", "/srv"])
        #expect(
            found.notes == [
                .symlink(Array("/srv/b-backup".utf8)), .symlink(Array("/link".utf8)), .unmatched(pattern),
            ])
    }

    @Test("reports what cannot be read, and still watches it")
    func unreadable() throws {
        let found = try search(
            "/srv/*/x", "/data/y",
            in: FakeTree(unlistable: ["/srv"], unreadable: ["/data"]))
        #expect(text(found.watched) == ["/", "/srv"])
        #expect(found.notes.contains(.unreadable(Array("/srv".utf8), 13)))
        #expect(found.notes.contains(.unreadable(Array("/data".utf8), 13)))
    }

    @Test("reports a file where a directory is named")
    func notDirectory() throws {
        let found = try search("/srv/data", in: FakeTree(files: ["/srv/data"]))
        #expect(found.notes.contains(.notDirectory(Array("/srv/data".utf8))))
        #expect(text(found.watched) == ["/srv"])
    }

    @Test("takes a root inside another for a part of that")
    func nested() throws {
        // '-' sorts before '/': a neighbour stands between the outer root and what is inside it.
        let found = try search(
            "/srv/a", "/srv/a-b", "/srv/a/*/deep", "/srv/a", in: FakeTree(directories: ["/srv/a/x/deep", "/srv/a-b"]))
        #expect(text(found.roots) == ["/srv/a", "/srv/a-b"])
        #expect(found.notes == [.nested(Array("/srv/a/x/deep".utf8), inside: Array("/srv/a".utf8))])
        #expect(text(found.watched) == ["/srv", "/srv/a", "/srv/a/x"])
    }

    @Test("gives the same whatever the order of the entries")
    func order() throws {
        let tree = FakeTree(directories: (0..<40).map { "/srv/\($0)-backup" })
        let first = try search("/srv/*-backup", in: tree)
        let again = try search(
            "/srv/*-backup", in: FakeTree(directories: (0..<40).reversed().map { "/srv/\($0)-backup" }))
        #expect(first == again)
        #expect(first.roots.count == 40)
    }
}

import LinuxKernel
import SystemPackage
import Testing

@testable import Offsite

/// What is done at the destination, given what is known. No file is touched.
@Suite struct BatchPlannerTests {
    private static let now = Timestamp(seconds: 1_000, nanoseconds: 0)

    private func planner(settle: Int64 = 0, maxDelay: Int64 = 900) -> BatchPlanner {
        BatchPlanner(settle: settle * 1_000_000_000, maxDelay: maxDelay * 1_000_000_000, now: Self.now)
    }

    private func facts(
        existed: Bool = true, content: Bool = false, exists: Bool = true, written: Bool = false, age: Int64 = 0,
        firstAge: Int64? = nil
    ) -> PathFacts {
        PathFacts(
            existedBefore: existed, contentChanged: content, exists: exists, wasWritten: written,
            first: Self.now.advanced(by: -(firstAge ?? age) * 1_000_000_000),
            lastWritten: Self.now.advanced(by: -age * 1_000_000_000))
    }

    private func status(_ mode: UInt16 = 0o100644, links: UInt32 = 1, size: Int64 = 10) -> FileStatus {
        FileStatus(
            mode: mode, owner: 0, group: 0, linkCount: links, size: size, inode: 1, device: 1,
            modified: Self.now, changed: Self.now, born: Self.now)
    }

    private func path(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func units(_ plan: BatchPlan) -> [(paths: [String], isForced: Bool)] {
        plan.units.map { ($0.paths.map { String(decoding: $0, as: UTF8.self) }, $0.isForced) }
    }

    @Test func aNewFileIsComparedAndAChangedOneIsSent() {
        var planner = planner()
        planner.add(.init(path: path("r/new"), facts: facts(existed: false, written: true), state: .present(status())))
        planner.add(.init(path: path("r/old"), facts: facts(content: true, written: true), state: .present(status())))
        planner.add(.init(path: path("r/mode"), facts: facts(), state: .present(status())))
        planner.add(.init(path: path("r/d"), facts: facts(written: true), state: .present(status(0o040755))))
        let plan = planner.finish()
        let all = units(plan)
        #expect(all.map(\.paths) == [["r/d"], ["r/mode"], ["r/new"], ["r/old"]])
        #expect(all.map(\.isForced) == [false, false, false, true])
        #expect(plan.bytes == 30)
        #expect(
            BatchPlan.paths(of: plan.units).map { String(decoding: $0, as: UTF8.self) }
                == ["r", "r/d", "r/mode", "r/new", "r/old"])
    }

    @Test func aFileThatIsBeingWrittenWaitsButNotForEver() {
        var first = planner(settle: 30)
        first.add(.init(path: path("r/a"), facts: facts(written: true, age: 5), state: .present(status())))
        first.add(.init(path: path("r/b"), facts: facts(written: true, age: 31), state: .present(status())))
        first.add(
            .init(path: path("r/c"), facts: facts(written: true, age: 5, firstAge: 901), state: .present(status())))
        // A move writes nothing.
        first.add(.init(path: path("r/d"), facts: facts(existed: false, age: 0), state: .present(status())))
        // The clock was set back since.
        first.add(.init(path: path("r/e"), facts: facts(written: true, age: -500), state: .present(status())))
        let plan = first.finish()
        #expect(plan.postponed.map(\.path) == [path("r/a")])
        #expect(plan.postponed.first?.due == Self.now.advanced(by: 25_000_000_000))
        #expect(units(plan).map(\.paths) == [["r/b"], ["r/c"], ["r/d"], ["r/e"]])
    }

    @Test func onlyTheTopmostOfWhatIsGoneIsDeleted() {
        var planner = planner()
        for name in ["r/d/e/f", "r/d", "r/d-1", "r/d/e", "s"] {
            planner.add(.init(path: path(name), facts: facts(exists: false), state: .missing))
        }
        let plan = planner.finish()
        #expect(plan.deletions == ["r/d", "r/d-1", "s"].map(path))
        #expect(plan.gone.count == 5)
        #expect(plan.units.isEmpty)
    }

    @Test func whatIsMissingWithoutARowThatSaysSoIsNotDeleted() {
        var planner = planner()
        planner.add(.init(path: path("r/a"), facts: facts(exists: true), state: .missing))
        planner.add(.init(path: path("r/b"), facts: facts(exists: false), state: .unknown(.ioError)))
        planner.add(.init(path: path("r/c"), facts: facts(exists: true), state: .blocked))
        let plan = planner.finish()
        #expect(plan.isEmpty)
        #expect(plan.postponed.map(\.reason) == [.absent, .unreadable(5), .absent])
    }

    @Test func whatWasDeletedAndIsThereAgainIsSentWhateverItLooksLike() {
        var planner = planner()
        planner.add(.init(path: path("r/a"), facts: facts(exists: false), state: .present(status())))
        let plan = planner.finish()
        #expect(units(plan).map(\.isForced) == [true])
    }

    @Test func whatIsGoneBelowSomethingElseThanADirectoryGoesWithIt() {
        var planner = planner()
        planner.add(.init(path: path("r/d/f"), facts: facts(exists: false), state: .blocked))
        #expect(planner.blocked == [path("r/d")])
        planner.addReplacement(path("r/d"))
        let plan = planner.finish()
        #expect(plan.deletions.isEmpty)
        #expect(units(plan).map(\.paths) == [["r/d"]])
    }

    @Test func aSymlinkThatTookTheNameOfAnotherReplacesIt() {
        var planner = planner()
        let link = status(0o120777)
        planner.add(.init(path: path("r/new"), facts: facts(existed: false, written: true), state: .present(link)))
        planner.add(.init(path: path("r/mode"), facts: facts(), state: .present(link)))
        planner.add(.init(path: path("r/other"), facts: facts(content: true, written: true), state: .present(link)))
        planner.add(.init(path: path("r/again"), facts: facts(exists: false), state: .present(link)))
        planner.add(
            .init(path: path("r/d"), facts: facts(content: true, written: true), state: .present(status(0o040755))))
        planner.add(
            inode: [name("r/f1", facts(content: true, written: true)), name("r/f2", synced: true)], isFile: false,
            size: 0)
        let plan = planner.finish()
        #expect(plan.replaced == ["r/again", "r/f1", "r/other"].map(path))
        #expect(plan.units.count == 6)
    }

    // MARK: Names of one inode

    private func name(_ text: String, _ facts: PathFacts? = nil, synced: Bool = false) -> BatchPlanner.Name {
        BatchPlanner.Name(path: path(text), facts: facts, isSynced: synced)
    }

    @Test func newNamesGoWithOneThatIsThere() {
        var planner = planner()
        let new = facts(existed: false)
        planner.add(
            inode: [name("w1/f", synced: true), name("w2/f", synced: true), name("w3/f", new)], size: 1_000)
        let plan = planner.finish()
        #expect(units(plan).map(\.paths) == [["w3/f"]])
        #expect(plan.units.map(\.anchors) == [["w1/f", "w2/f"].map(path)])
        #expect(units(plan).map(\.isForced) == [false])
        #expect(plan.bytes == 0)
        #expect(BatchPlan.paths(of: plan.units).count == 6)
    }

    @Test func `a new name is listed with the names at both ends of the order`() {
        let synced = (1...8).map { path("w\($0)/f") }
        #expect(BatchPlanner.anchors(among: synced) == [path("w1/f"), path("w7/f"), path("w8/f")])
        #expect(BatchPlanner.anchors(among: Array(synced.prefix(2))) == Array(synced.prefix(2)))
    }

    @Test func `a week of new names is cloned from the week before`() {
        var planner = planner()
        let new = facts(existed: false)
        for number in 0..<100 {
            planner.add(
                inode: [
                    name("a/w1/d/f\(number)", synced: true), name("a/w2/d/f\(number)", synced: true),
                    name("a/w3/d/f\(number)", new), name("b/elsewhere\(number)", synced: true),
                ], size: 1_000)
        }
        // Changed attributes have to be set on what is there.
        planner.add(
            inode: [name("a/w1/m", synced: true), name("a/w2/m", facts()), name("a/w3/m", new)], size: 1_000)
        // Too few to be worth a run of their own.
        planner.add(inode: [name("c/x", synced: true), name("d/x", new)], size: 1_000)
        let plan = planner.finish()
        #expect(plan.clones.map(\.directory) == [path("a/w3")] && plan.clones.map(\.origin) == [path("a/w2")])
        #expect(plan.clones.first?.entries.count == 100 && plan.clones.first?.entries.first == path("d/f0"))
        #expect(units(plan).map(\.paths) == [["a/w2/m", "a/w3/m"], ["d/x"]])
    }

    @Test func allNamesOfASymlinkGo() {
        var planner = planner(settle: 30)
        planner.add(
            inode: [name("w1/l", synced: true), name("w2/l", facts(existed: false, written: true))], isFile: false,
            size: 7)
        #expect(units(planner.finish()).map(\.paths) == [["w1/l", "w2/l"]])
    }

    @Test func withoutOneThatIsThereAllNamesGo() {
        var planner = planner()
        let new = facts(existed: false)
        planner.add(inode: [name("a", new), name("b", new), name("c")], size: 7)
        let plan = planner.finish()
        #expect(units(plan).map(\.paths) == [["a", "b", "c"]])
        #expect(plan.bytes == 7)
    }

    @Test func changedContentForcesAllNames() {
        var planner = planner()
        planner.add(
            inode: [
                name("a", facts(content: true, written: true)), name("b", synced: true),
                name("c", facts(existed: false)),
            ],
            size: 7)
        #expect(units(planner.finish()).map(\.paths) == [["a", "b", "c"]])
        var other = self.planner()
        other.add(inode: [name("a", facts(content: true, written: true)), name("b", synced: true)], size: 7)
        #expect(units(other.finish()).map(\.isForced) == [true])
    }

    @Test func whileOneNameIsWrittenNoneIsSent() {
        var planner = planner(settle: 30)
        planner.add(
            inode: [
                name("a", facts(content: true, written: true, age: 1)), name("b", facts(existed: false)),
                name("c", synced: true),
            ], size: 7)
        let plan = planner.finish()
        #expect(plan.units.isEmpty)
        #expect(plan.postponed.map(\.path) == [path("a"), path("b")])
    }

    @Test func theOrderIsThatOfComponents() {
        let sorted = ["a/b", "a-b", "a", "a/c", "a b", "b"].map(path).sorted(by: BatchPlan.precedes)
        #expect(sorted.map { String(decoding: $0, as: UTF8.self) } == ["a", "a/b", "a/c", "a b", "a-b", "b"])
    }
}

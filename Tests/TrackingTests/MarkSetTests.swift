import Testing

@testable import Tracking

@Suite struct MarkSetTests {
    let marks = MarkSet()
    let node = NodeID(index: 3, generation: 1)

    /// One name's hints after several marks of it.
    private func combined(_ all: [Hints]) -> Hints? {
        for hints in all { marks.mark("x", in: node, hints) }
        return marks.hints(of: "x", in: node)
    }

    struct Rule: CustomTestStringConvertible {
        let testDescription: String
        let marked: [Hints]
        let result: Hints
        init(_ description: String, _ marked: [Hints], _ result: Hints) {
            testDescription = description
            self.marked = marked
            self.result = result
        }
    }

    static let rules: [Rule] = [
        Rule("hints add up", [.appeared, .content, .metadata], [.appeared, .content, .metadata]),
        Rule("the close of a write in the same mark adds nothing", [[.content, .writtenOpen], .loneClose], .content),
        Rule(
            "nor does one that an earlier batch explains", [[.content, .writtenOpen], .closed], [.content, .closed]),
        Rule("a lone close stays one", [.loneClose], .loneClose),
        Rule(
            "a second close is alone again", [[.content, .writtenOpen], .loneClose, .loneClose], [.content, .loneClose]),
        Rule(
            "a write after a close is open again", [.loneClose, [.content, .writtenOpen]],
            [.loneClose, .content, .writtenOpen]),
        Rule(
            "an echo stays an echo", [[.content, .viaLink], [.metadata, .viaLink]], [.content, .metadata, .viaLink]),
        Rule("an event of its own after an echo", [[.content, .viaLink], .content], .content),
        Rule("an echo after an event of its own", [.content, [.metadata, .viaLink]], [.content, .metadata]),
        Rule("own, echo, echo", [.content, [.content, .viaLink], [.content, .viaLink]], .content),
        Rule("putting off stays known", [[.vanished, .directory], .putOff], [.vanished, .directory, .putOff]),
    ]

    @Test(arguments: rules) func combination(rule: Rule) { #expect(combined(rule.marked) == rule.result) }

    @Test func namesOfADirectoryInTheOrderOfTheirFirstMark() {
        let other = NodeID(index: 0, generation: 0)
        for name in ["c", "a", "b", "a", "c"] { marks.mark(name, in: node, .content) }
        marks.mark("a", in: other, .metadata)
        #expect(marks.names(of: node) == ["c", "a", "b"] && marks.names(of: other) == ["a"])
        #expect(marks.nodes == [node, other] && marks.count == 4)
        #expect(marks.has(node) && !marks.has(NodeID(index: 900, generation: 0)))
    }

    @Test func aSecondRenameToANameTakesItFromTheFirst() {
        #expect(combined([.renamedTo]) == .renamedTo)
        #expect(combined([.renamedTo, .renamedTo]) == [.renamedTo, .vanished])
    }

    @Test func theLastOriginCounts() throws {
        let first = Origin(node: node, name: bytes("one"))
        let last = Origin(node: node, name: bytes("two"))
        marks.mark("x", in: node, .appeared, origin: first)
        marks.mark("x", in: node, .content)
        let index = try #require(marks.index(of: "x", in: node))
        #expect(marks.origin(of: index) == first)
        marks.mark("x", in: node, .appeared, origin: last)
        #expect(marks.origin(of: index) == last)
    }

    @Test(
        arguments: [
            (.content, .formerContent), (.loneClose, .formerContent), (.metadata, .formerMetadata),
            ([.content, .metadata], [.formerContent, .formerMetadata]), (.contentBefore, []),
        ] as [(Hints, Hints)])
    func whatWasToldOfAnInodeStaysItsWhenItLosesTheName(told: Hints, former: Hints) {
        for event in [.vanished, [.appeared, .renamedTo]] as [Hints] {
            let marks = MarkSet()
            marks.mark("x", in: node, told)
            marks.mark("x", in: node, event)
            #expect(marks.hints(of: "x", in: node) == event.union(former))
            marks.mark("x", in: node, [.appeared, .content])
            #expect(marks.hints(of: "x", in: node) == event.union(former).union([.appeared, .content]))
        }
    }

    /// The index has never had the one that came and went in between.
    @Test func anInodeBetweenTwoLossesIsNotTheFormerOne() {
        marks.mark("x", in: node, .vanished)
        marks.mark("x", in: node, [.appeared])
        marks.mark("x", in: node, .content)
        marks.mark("x", in: node, .vanished)
        #expect(marks.hints(of: "x", in: node) == [.vanished, .appeared])
    }

    /// The index has an inode that was renamed where it came from.
    @Test func whatWasToldOfARenamedInodeGoesBackToItsOrigin() throws {
        let origin = Origin(node: node, name: bytes("old"))
        marks.mark("old", in: node, [.vanished, .renamed])
        marks.mark("new", in: node, [.appeared, .renamedTo], origin: origin)
        marks.mark("new", in: node, .content)
        marks.mark("new", in: node, .vanished)
        #expect(marks.hints(of: "old", in: node) == [.vanished, .renamed, .formerContent])
        let index = try #require(marks.index(of: "new", in: node))
        #expect(marks.origin(of: index) == nil)
    }

    /// A place in the tree that was given again has marks of the one before and of the one now.
    @Test func generationsInOnePlaceStayApart() {
        let next = NodeID(index: node.index, generation: node.generation + 1)
        for round in 0..<3 {
            marks.mark("old\(round)", in: node, .content)
            marks.mark("new\(round)", in: next, .metadata)
        }
        marks.mark("old0", in: next, .vanished)
        #expect(marks.names(of: node) == ["old0", "old1", "old2"])
        #expect(marks.names(of: next) == ["new0", "new1", "new2", "old0"])
        #expect(marks.hints(of: "old0", in: node) == .content && marks.hints(of: "old0", in: next) == .vanished)
        #expect(marks.nodes == [node, next])
    }

    @Test func exchangeHandsEverythingOver() {
        let batch = MarkSet()
        marks.mark("x", in: node, .content, origin: Origin(node: node, name: bytes("from")))
        batch.exchange(with: marks)
        #expect(marks.isEmpty && marks.names(of: node).isEmpty && !marks.has(node))
        #expect(batch.names(of: node) == ["x"] && batch.origin(of: 0) != nil)
        marks.mark("x", in: node, .metadata)
        #expect(batch.hints(of: "x", in: node) == .content && marks.hints(of: "x", in: node) == .metadata)
        batch.removeAll()
        #expect(batch.isEmpty && batch.nodes.isEmpty && batch.names(of: node).isEmpty && !batch.has(node))
        batch.exchange(with: marks)
        #expect(batch.names(of: node) == ["x"] && batch.origin(of: 0) == nil)
    }

    @Test func growsAndIsUsedAgain() {
        for round in 0..<2 {
            for number in 0..<70_000 {
                marks.mark("name\(number)", in: NodeID(index: Int32(number % 500), generation: 0), .content)
            }
            marks.mark("name69999", in: NodeID(index: 499, generation: 0), .metadata)
            #expect(marks.count == 70_000 && marks.nodes.count == 500)
            #expect(marks.indices(of: NodeID(index: 7, generation: 0)).count == 140)
            #expect(marks[69_999].hints == [.content, .metadata])
            marks.removeAll()
            #expect(marks.isEmpty && marks.nodes.isEmpty, "round \(round)")
        }
    }

    @Test func randomMarksAgreeWithADictionary() {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        struct Key: Hashable {
            let node: NodeID
            let name: String
        }
        var model: [Key: Hints] = [:]
        for step in 0..<5_000 {
            let node = NodeID(index: .random(in: 0..<8, using: &random), generation: .random(in: 0..<3, using: &random))
            let name = "f\(UInt8.random(in: 0..<60, using: &random))"
            // Of those that only add up.
            let hints = ([.content, .metadata, .appeared, .directory] as [Hints]).randomElement(using: &random)!
            marks.mark(name, in: node, hints)
            model[Key(node: node, name: name), default: []].formUnion(hints)
            if step % 1_700 == 1_699 {
                #expect(marks.count == model.count && Set(marks.nodes) == Set(model.keys.map(\.node)))
                #expect(marks.nodes.count == Set(marks.nodes).count, "seed \(random.seed)")
                for (key, hints) in model {
                    #expect(marks.hints(of: key.name, in: key.node) == hints, "seed \(random.seed), step \(step)")
                }
                marks.removeAll()
                model.removeAll()
            }
        }
    }
}

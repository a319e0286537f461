import Testing

@testable import Tracking

@Suite struct NodeTableTests {
    /// With few distinct hashes the runs are long and wrap around, which is where moving up after a removal can err.
    @Test(arguments: [1, 3, 64, 100_000] as [UInt64]) func agreesWithADictionary(distinctHashes: UInt64) {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        let seed = random.seed
        func hash(_ node: Int32) -> UInt64 { (UInt64(node) &* 0x9E37_79B9_7F4A_7C15 >> 7) % distinctHashes &+ 60 }
        var table = NodeTable()
        var model: Set<Int32> = []
        for step in 0..<4_000 {
            let node = Int32.random(in: 0..<300, using: &random)
            if model.contains(node) {
                table.remove(node, hash: hash)
                model.remove(node)
            } else {
                table.insert(node, hash: hash)
                model.insert(node)
            }
            #expect(table.count == model.count)
            guard step % 100 == 0 else { continue }
            for node in Int32(0)..<300 {
                let found = table.first(hash: hash(node)) { $0 == node }
                #expect((found != nil) == model.contains(node), "seed \(seed), step \(step), node \(node)")
            }
        }
    }

    @Test func removingWhatIsNotThereChangesNothing() {
        var table = NodeTable()
        table.insert(1) { _ in 5 }
        table.remove(2) { _ in 5 }
        table.remove(3) { _ in 9 }
        #expect(table.count == 1 && table.first(hash: 5) { _ in true } == 1)
    }

    @Test func severalNodesMayShareAKey() {
        var table = NodeTable()
        for node in Int32(0)..<10 { table.insert(node) { _ in 63 } }
        for node in Int32(0)..<10 { #expect(table.first(hash: 63) { $0 == node } == node) }
        table.remove(0) { _ in 63 }
        #expect(table.first(hash: 63) { $0 == 0 } == nil && table.first(hash: 63) { $0 == 9 } == 9)
    }
}

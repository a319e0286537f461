import LinuxKernel
import Testing

@testable import Tracking

@Suite struct MovePairingTests {
    private let one = Origin(node: NodeID(index: 1, generation: 0), name: bytes("one"))
    private let two = Origin(node: NodeID(index: 2, generation: 0), name: bytes("two"))

    @Test func halvesMeetOnceWhateverComesBetween() {
        var pairing = MovePairing()
        pairing.from(7, one, now: at(0))
        pairing.from(8, two, now: at(1))
        #expect(pairing.to(9) == nil)
        #expect(pairing.to(7)?.origin == one && pairing.to(7) == nil)
        #expect(pairing.to(8)?.origin == two && pairing.to(8) == nil)
    }

    @Test func oldHalvesAreGivenUp() {
        var pairing = MovePairing()
        pairing.from(7, one, now: at(0))
        pairing.from(8, two, now: at(500))
        pairing.forget(before: at(500))
        #expect(pairing.to(7) == nil && pairing.to(8)?.origin == two)
    }

    /// A directory that shows at two places has the rename twice, with one cookie.
    @Test func eachPlaceHasItsOwnOrigin() {
        var pairing = MovePairing()
        pairing.from(7, one, now: at(0))
        pairing.from(7, two, now: at(0))
        #expect(pairing.to(7)?.origin == one && pairing.to(7)?.origin == two && pairing.to(7) == nil)
    }
}

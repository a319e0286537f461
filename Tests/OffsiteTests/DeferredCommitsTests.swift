import ChangeStore
import LinuxKernel
import Testing

@testable import Offsite

@Suite struct DeferredCommitsTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func batch(_ path: String, kept: [ConsumerWork] = []) -> ConsumerCommit {
        var commit = ConsumerCommit(fullPass: .init(through: 7, path: Array(path.utf8)))
        commit.done = [Array(path.utf8)]
        commit.kept = kept
        return commit
    }

    @Test func `a batch outside of a full pass is committed at once`() {
        var deferred = DeferredCommits()
        let due = deferred.add(ConsumerCommit(through: 5), isSent: true, at: start)
        #expect(due?.commit.through == 5)
        let rest = deferred.take()
        #expect(rest?.isSent == nil)
    }

    @Test func `batches of a full pass are committed together, at the place of the last`() {
        var deferred = DeferredCommits()
        let first = deferred.add(batch("/a"), isSent: true, at: start)
        let second = deferred.add(batch("/b"), isSent: false, at: start.advanced(milliseconds: 9_000))
        #expect(first?.isSent == nil && second?.isSent == nil)
        let due = deferred.add(batch("/c"), isSent: false, at: start.advanced(milliseconds: 10_000))
        #expect(due?.isSent == true)
        #expect(due?.commit.fullPass?.path == Array("/c".utf8))
        #expect(due?.commit.done.map { String(decoding: $0, as: UTF8.self) } == ["/a", "/b", "/c"])
        let rest = deferred.take()
        #expect(rest?.isSent == nil)
    }

    @Test func `what a batch keeps is committed before the next is planned`() {
        var deferred = DeferredCommits()
        let facts = PathFacts(.created, at: Timestamp(nanoseconds: 1))!
        let work = ConsumerWork(Array("/b".utf8), facts, .waiting, due: Timestamp(nanoseconds: 2), reason: "")
        let first = deferred.add(batch("/a"), isSent: true, at: start)
        #expect(first?.isSent == nil)
        let due = deferred.add(batch("/b", kept: [work]), isSent: true, at: start)
        #expect(due?.commit.kept.map(\.path) == [Array("/b".utf8)])
    }
}

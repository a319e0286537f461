/// The "did you mean" of an error: which known word somebody who typed `word` most likely wanted.
enum NearestWord {
    /// The candidate at the smallest edit distance, if that is at most a third of the word's length (at least 1);
    /// of equally near ones the first.
    static func to(_ word: String, among candidates: [String]) -> String? {
        let limit = max(1, word.utf8.count / 3)
        let nearest = candidates.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= limit else { return nil }
        return nearest.word
    }

    /// How many bytes must be inserted, removed, replaced, or swapped with their neighbour to turn one word into
    /// the other (optimal string alignment distance).
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.lowercased().utf8)
        let right = Array(right.lowercased().utf8)
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let substitution = previous[column] + (left[row] == right[column] ? 0 : 1)
                var best = min(substitution, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}

import ChangeStore

/// Writes the rows of a selection, one by one: memory does not grow with them.
struct ChangeListing {
    var selection: Selection
    var format: ChangeFormat
    var order = RowOrder.time
    /// How many rows at most: the newest, the largest, or the first by path.
    var limit: Int?

    /// - Returns: how many rows were written.
    func run(over reader: StoreReader, to output: inout Output) throws -> Int {
        let writer = RowWriter(format)
        try writer.writeHeader(to: &output)
        let rows = try SelectedRows(selection, in: reader, newest: order == .time ? limit : nil)
        if order == .time {
            try writer.write(rows, to: &output)
        } else {
            try SortedRows(rows, in: reader, order: order, limit: limit).handOut(
                writer.take, between: { try writer.write(to: &output) })
            try writer.write(to: &output)
        }
        try output.flush()
        return writer.count
    }
}

-- PostgreSQL: a view of one table could be written through.
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON pipeline_progress
FOR EACH ROW EXECUTE FUNCTION refuse_change('nothing can be written here, because it is a view');
